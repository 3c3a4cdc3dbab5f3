//! `sseproof init`: looks at a server, and writes a first target file and a CI workflow.

mod seen;
mod written;

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::{Context as _, bail};
use sseproof_rules::profile;

use self::seen::Seen;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::ways::{Trust, WaysGiven};
use crate::{check, screen};

/// The target file.
const TARGET: &str = "sseproof.yaml";
/// The workflow, where GitHub looks for it.
const WORKFLOW: &str = ".github/workflows/sse.yml";

/// What an editor knows the keys of the target file by.
const SCHEMA: &str = ".sseproof.schema.json";

/// Looks at the stream and writes the files into the folder.
pub(crate) async fn run(
    url: &str,
    headers: &[String],
    chosen: Option<&str>,
    folder: &Path,
    force: bool,
    ways: &WaysGiven,
) -> Result<Exit, Blame> {
    let url = check::checked(url).usage()?;
    let headers = check::headers(headers).usage()?;
    let trust = match ways.trust() {
        Trust::Ca(file) => Trust::Ca(&seen_from(folder, file)),
        other => other,
    };
    let ways = ways.to(Some(&url), None).usage()?;
    let files = [TARGET, WORKFLOW, SCHEMA].map(|name| folder.join(name));
    // Nobody wants to hear that behind the look at the server.
    if let Some(file) = files.iter().find(|file| file.exists() && !force) {
        let error = anyhow::anyhow!(
            "{} is there already, and is left as it is; --force writes it anew",
            file.display()
        );
        return Err(Blame { exit: Exit::Usage, error });
    }
    let seen = Seen::look(&url, &headers, chosen.and_then(profile), ways).await.unreachable()?;
    let schema = format!("{:#}\n", sseproof_files::target_schema());
    let texts = [written::target(&seen, &trust), written::workflow(&seen), schema];
    for (file, text) in files.iter().zip(&texts) {
        write(file, text).usage()?;
    }
    screen::print(&written::told(&seen, &files))?;
    Ok(Exit::Held)
}

/// The path as a file in this folder names it.
fn seen_from(folder: &Path, file: &Path) -> PathBuf {
    match (absolute(folder), absolute(file)) {
        (Ok(folder), Ok(file)) => file.strip_prefix(&folder).map_or(file.clone(), Path::to_owned),
        _ => file.to_owned(),
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    if !folder.as_os_str().is_empty() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    if file.is_dir() {
        bail!("cannot write {}: it is a folder", file.display());
    }
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
