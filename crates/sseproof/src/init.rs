//! `sseproof init`: probes a server, and writes a first target file and a CI workflow.

mod survey;
mod texts;

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context as _, bail};
use sseproof_files::ConnectionKeys;
use sseproof_rules::profile;

use self::survey::Survey;
use crate::connection::{ConnectionFlags, Trust};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::{check, screen};

const TARGET: &str = "sseproof.yaml";
/// The path at which GitHub expects the workflow.
const WORKFLOW: &str = ".github/workflows/sse.yml";

/// The schema by which editors complete the keys of the target file.
const SCHEMA: &str = ".sseproof.schema.json";

pub(crate) async fn run(
    url: &str,
    headers: &[String],
    chosen: Option<&str>,
    folder: &Path,
    force: bool,
    connection: &ConnectionFlags,
) -> Result<Exit, Blame> {
    let url = check::checked(url).usage()?;
    let headers = check::headers(headers).usage()?;
    let trust = match connection.trust() {
        Trust::Ca(file) => Trust::Ca(&relative_to(folder, file)),
        other => other,
    };
    let connection = connection.options(Some(&url), &ConnectionKeys::default()).usage()?;
    let files = [TARGET, WORKFLOW, SCHEMA].map(|name| folder.join(name));
    // Checked before the probe, which takes several seconds.
    if let Some(file) = files.iter().find(|file| file.exists() && !force) {
        let error = anyhow::anyhow!("{} exists already; --force overwrites it", file.display());
        return Err(Blame { exit: Exit::Usage, error });
    }
    let survey =
        Survey::new(&url, &headers, chosen.and_then(profile), connection).await.unreachable()?;
    let schema = format!("{:#}\n", sseproof_files::target_schema());
    let texts = [texts::target(&survey, &trust), texts::workflow(&survey), schema];
    for (file, text) in files.iter().zip(&texts) {
        write(file, text).usage()?;
    }
    screen::print(&texts::summary(&survey, &files))?;
    Ok(Exit::Held)
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
