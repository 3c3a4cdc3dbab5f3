//! `sseproof check-client`: plays cases with a client in any language, and judges what it did.

mod options;
mod report;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use sseproof_check_client::{
    Adapter, Broken, Browser, Carrier, Certificates, Embedded, Options, Progress, Service, Tcp,
    play, trusting,
};
use sseproof_client_rules::{
    ClientProfile, ClientRecord, Kind, REFERENCE, read_client_recording, write_client_recording,
};
use sseproof_net::Direct;
use sseproof_report::Outcome;
use sseproof_report::ci::Run;
use tokio::process::{Child, Command};

use self::options::Chosen;
use crate::args::{CheckClient, ServedKind};
use crate::ci::{self, places};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::interrupted;
use crate::known::{self, OF_CLIENTS};
use crate::progress::Line;
use crate::{group, output, screen};

/// The reason of a run that ended early because of a signal.
const INTERRUPTED: &str = "interrupted";

pub(crate) async fn run(arguments: &CheckClient) -> Result<Exit, Blame> {
    // Mistakes of the user are reported before the client is started.
    let known = arguments
        .known
        .as_deref()
        .map(|file| known::read(file, &OF_CLIENTS))
        .transpose()
        .usage()?;
    let chosen = Chosen::new(arguments).usage()?;
    let all_files = files(arguments).into_iter().chain(arguments.ci.files());
    let is_taken = output::writable(all_files).usage()?;
    let places = places::of_adapter(&arguments.command, known.as_deref());
    let began = Instant::now();
    let record = match &arguments.replay {
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| anyhow!("cannot read --replay {}: {error}", file.display()));
            let record = read_client_recording(&text.usage()?);
            record.map_err(|error| anyhow!("--replay {}: {error}", file.display())).usage()?
        }
        None => played(arguments, &chosen).await?,
    };
    // The recording is written first, so that a later error does not lose it.
    if let Some(file) = &arguments.record {
        output::write("record", file, &write_client_recording(&record)).usage()?;
    }
    let lasted = began.elapsed();
    let report = report::report(arguments, &record, &chosen, known.unwrap_or_default(), lasted);
    let CheckClient { json, junit, markdown, .. } = arguments;
    output::reports(&report, json.as_deref(), junit.as_deref(), markdown.as_deref()).usage()?;
    if let Some(file) = &arguments.html {
        output::write("html", file, &sseproof_html::client::page(&report, &record)).usage()?;
    }
    let run = Run::of(&report, "check-client", &places);
    ci::write(&arguments.ci, &run).usage()?;
    if let Some(file) = &arguments.write_known {
        known::write(file, &report).usage()?;
    }
    screen::print_report(&report, arguments.quiet, arguments.verbose, is_taken)?;
    ci::show(&arguments.ci, &run);
    Ok(match report.outcome() {
        Outcome::Held => Exit::Held,
        Outcome::Unproven if record.cut.as_deref() == Some(INTERRUPTED) => Exit::Interrupted,
        Outcome::Broken | Outcome::Unproven => Exit::Broken,
    })
}

fn files(arguments: &CheckClient) -> [(&str, Option<&std::path::Path>); 6] {
    [
        ("record", arguments.record.as_deref()),
        ("json", arguments.json.as_deref()),
        ("junit", arguments.junit.as_deref()),
        ("markdown", arguments.markdown.as_deref()),
        ("html", arguments.html.as_deref()),
        ("write-known", arguments.write_known.as_deref()),
    ]
}

async fn played(arguments: &CheckClient, chosen: &Chosen) -> Result<ClientRecord, Blame> {
    crate::interrupt::begin();
    let ground = Tcp::default();
    let authority = ground.certificates.in_file().context("make a certificate")?;
    let mut carrier =
        carrier(arguments, &ground.certificates, &authority).context("make a certificate")?;
    let options = Options {
        idle: arguments.idle,
        profile: arguments.profile.as_deref().and_then(ClientProfile::named),
        at_once: if arguments.one_by_one { 1 } else { Options::default().at_once },
    };
    let deadline = arguments.deadline;
    let cancel = async {
        tokio::select! {
            () = interrupted() => INTERRUPTED.to_owned(),
            () = tokio::time::sleep(deadline) => {
                format!("the deadline of {} is over", sseproof_units::duration(deadline))
            }
        }
    };
    let line = Line::new(chosen.cases.len(), arguments.quiet);
    let mut shows = |progress: Progress<'_>| match progress {
        Progress::Client(client) => line.update(|line| line.playing.clone_from(&client.name)),
        Progress::Begins { case } => line.update(|line| case.id.clone_into(&mut line.playing)),
        Progress::Ends { done, case, .. } => line.update(|line| {
            line.done = done;
            line.events += report::events(case);
        }),
    };
    let record = play(&chosen.cases, carrier.as_mut(), &ground, &options, &mut shows, cancel).await;
    drop(line);
    record.map_err(|broken| Blame { exit: Exit::Unreachable, error: anyhow!(words(broken)) })
}

fn words(broken: Broken) -> String {
    match broken {
        Broken::Plain { ref stderr, .. } | Broken::Start { ref stderr, .. }
            if !stderr.is_empty() =>
        {
            format!("{broken}; the end of its standard error:\n{stderr}")
        }
        other => other.to_string(),
    }
}

/// The client, which is set up to trust the authority in the file.
fn carrier(
    arguments: &CheckClient,
    certificates: &Certificates,
    authority: &Path,
) -> io::Result<Box<dyn Carrier>> {
    let CheckClient { command, service, browser, .. } = arguments;
    Ok(match (command.as_slice(), service, browser) {
        (_, Some(url), _) => {
            let service = Service::new(url).of_kind(match arguments.kind {
                ServedKind::Eventsource => Kind::Eventsource,
                ServedKind::Resilient => Kind::Resilient,
                ServedKind::Reader => Kind::Reader,
            });
            Box::new(match arguments.stop_service_at_end {
                true => service.stopped_at_end(),
                false => service,
            })
        }
        (_, _, Some(program)) => {
            let key = certificates.key_hash()?;
            Box::new(Browser::new(program, spawn).trusting(authority, key))
        }
        ([], ..) => {
            let client = Embedded::new(REFERENCE, Arc::new(Direct));
            Box::new(client.trusting(certificates.client()?))
        }
        (command, ..) => {
            let adapter = Adapter::new(command.to_vec(), arguments.timeout, spawn);
            Box::new(adapter.with(trusting(authority)))
        }
    })
}

fn spawn(command: &mut Command) -> io::Result<(Child, Box<dyn Send>)> {
    let (child, group) = group::spawn(command)?;
    Ok((child, Box::new(group)))
}
