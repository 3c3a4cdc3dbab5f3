//! `sseproof init`: checks a server once, and writes a target file, the failures of today and a CI
//! workflow.

mod survey;
mod texts;

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context as _, anyhow, bail};
use clap::Parser as _;
use sseproof_files::{ConnectionKeys, Readiness, StartHook};
use sseproof_http::Headers;
use sseproof_net::ConnectionOptions;
use sseproof_rules::profile;

use self::survey::Survey;
use crate::args::{Arguments, Check, CiFlags, Command, Init};
use crate::check::USUAL_TARGET;
use crate::connection::Trust;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::interrupted;
use crate::running::{Running, START_WAIT};
use crate::started::is_free;
use crate::{check, known, screen, secrets};

/// The failures of today: the first job is green, and every later failure is new.
const KNOWN: &str = "sseproof.known.yaml";
/// The path at which GitHub expects the workflow.
const WORKFLOW: &str = ".github/workflows/sse.yml";
/// The schema by which editors complete the keys of the target file.
const SCHEMA: &str = ".sseproof.schema.json";

pub(crate) async fn run(arguments: &Init) -> Result<Exit, Blame> {
    let Init { folder, start, .. } = arguments;
    let url = check::checked(&arguments.url).usage()?;
    let headers = check::headers(&arguments.header).usage()?;
    let trust = match arguments.connection.trust() {
        Trust::Ca(file) => Trust::Ca(&relative_to(folder, file)),
        other => other,
    };
    let connection =
        arguments.connection.options(Some(&url), &ConnectionKeys::default()).usage()?;
    let files = [USUAL_TARGET, KNOWN, WORKFLOW, SCHEMA].map(|name| folder.join(name));
    // Checked before the server is, which takes several seconds.
    if let Some(file) = files.iter().find(|file| file.exists() && !arguments.force) {
        let error = anyhow!("{} exists already; --force overwrites it", file.display());
        return Err(Blame { exit: Exit::Usage, error });
    }
    let survey = tokio::select! {
        survey = survey(arguments, &url, &headers, connection) => survey?,
        () = interrupted() => return Ok(Exit::Interrupted),
    };
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))
        .usage()?;
    let [target, known, workflow, schema] = &files;
    // A first response of a protocol need not be a stream.
    if survey.is_stream() || arguments.profile.is_some() {
        screen::say("sseproof: checks the server once, for its failures of today");
        let exit = check::run(&of_today(arguments, known)?).await?;
        if exit == Exit::Interrupted {
            return Ok(exit);
        }
    } else {
        write(known, &known::file([], [], &secrets::text(&url))).usage()?;
    }
    write(target, &texts::target(&survey, &trust, start.as_deref())).usage()?;
    write(workflow, &texts::workflow(&survey, start.is_some())).usage()?;
    write(schema, &format!("{:#}\n", sseproof_files::target_schema())).usage()?;
    screen::print(&texts::summary(&survey, &files))?;
    Ok(Exit::Held)
}

async fn survey(
    arguments: &Init,
    url: &str,
    headers: &Headers,
    connection: ConnectionOptions,
) -> Result<Survey, Blame> {
    let started = match &arguments.start {
        Some(command) => {
            is_free(url, &connection).await.unreachable()?;
            let start =
                StartHook { command: command.clone(), ready: Readiness::default(), within: None };
            let connection = connection.clone();
            let started = Running::new((url.to_owned(), None), start, None, START_WAIT, connection);
            Some(started.unreachable()?)
        }
        None => None,
    };
    let ready = match &started {
        Some(started) => started.ready().await,
        None => Ok(()),
    };
    let profile = arguments.profile.as_deref().and_then(profile);
    let survey = match ready {
        Ok(()) => Survey::new(url, headers, profile, connection).await,
        Err(error) => Err(error),
    };
    if let Some(started) = started {
        started.stop().await;
    }
    survey.unreachable()
}

/// The check that the workflow makes, with the values of secrets in place of their names.
fn of_today(arguments: &Init, known: &Path) -> anyhow::Result<Check> {
    let parsed = Arguments::try_parse_from(["sseproof", "check", &arguments.url])?;
    let Command::Check(check) = parsed.command else { bail!("`check` is another command") };
    Ok(Check {
        header: arguments.header.clone(),
        profile: arguments.profile.clone(),
        start: arguments.start.clone(),
        connection: arguments.connection.clone(),
        write_known: Some(known.to_owned()),
        quiet: true,
        ci: CiFlags { no_annotations: true, ..CiFlags::default() },
        ..*check
    })
}

fn relative_to(folder: &Path, file: &Path) -> PathBuf {
    match (absolute(folder), absolute(file)) {
        (Ok(folder), Ok(file)) => file.strip_prefix(&folder).map_or(file.clone(), Path::to_owned),
        _ => file.to_owned(),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    if file.is_dir() {
        bail!("cannot write {}: it is a folder", file.display());
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
