//! `sseproof check-parser`: tests a parser in any language with the corpus and random streams.

use anyhow::Context as _;
use sseproof_check_parser::{Adapter, Options, Parser, Reference, check_only, html, junit, text};
use sseproof_files::KnownFailure;

use crate::args::CheckParser;
use crate::ci::{self, places};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::known::{self, Known, OF_PARSERS};
use crate::{output, screen};

pub(crate) fn run(arguments: &CheckParser) -> Result<Exit, Blame> {
    let CheckParser { command, streams, seed, only, known, timeout, .. } = arguments;
    let CheckParser { json, junit: xml, html: page, .. } = arguments;
    let only = known::only(only, &OF_PARSERS).usage()?;
    let known = known.as_deref().map(|file| known::read(file, &OF_PARSERS)).transpose().usage()?;
    let files = [("json", json.as_deref()), ("junit", xml.as_deref()), ("html", page.as_deref())];
    let files = files.into_iter().chain(arguments.ci.files());
    let is_taken = output::writable(files).usage()?;
    let places = places::of_adapter(command, known.as_deref());
    let options = Options { streams: *streams, seed: *seed };
    let mut parser: Box<dyn Parser> = if command.is_empty() {
        Box::new(Reference)
    } else {
        Box::new(Adapter::start(command, *timeout).unreachable()?)
    };
    let name = match command.is_empty() {
        true => "the decoder of sseproof-codec, embedded".to_owned(),
        false => shlex::try_join(command.iter().map(String::as_str)).usage()?,
    };
    let judges = |id: &str| only.is_empty() || only.iter().any(|glob| glob.is_match(id));
    let mut report = check_only(&name, parser.as_mut(), options, &judges);
    let today = known::today();
    for Known { entry, matcher } in known.unwrap_or_default() {
        let is_over = entry.is_over(today);
        let KnownFailure { glob, reason, until, .. } = entry;
        let accepted = report.accept(glob, reason, |id| matcher.is_match(id));
        (accepted.until, accepted.is_over) = (until.map(|until| until.to_string()), is_over);
    }
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&report).context("write JSON")?;
        output::write("json", file, &format!("{text}\n")).usage()?;
    }
    if let Some(file) = xml {
        output::write("junit", file, &junit(&report)).usage()?;
    }
    if let Some(file) = page {
        output::write("html", file, &html(&report)).usage()?;
    }
    let run = sseproof_check_parser::ci(&report, &places);
    ci::write(&arguments.ci, &run).usage()?;
    match is_taken {
        false => drop(screen::print(&text(&report))?),
        true => screen::print_page_aside(&text(&report)),
    }
    ci::show(&arguments.ci, &run);
    Ok(match report.no_answer {
        Some(_) => Exit::Unreachable,
        None if report.is_right() => Exit::Held,
        None => Exit::Broken,
    })
}
