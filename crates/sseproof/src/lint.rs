//! `sseproof lint`: reads targets, scenarios, plans and lists of known failures as `check` and `load` do,
//! without a server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sseproof_files::{FileKind, PlanFile, Scenario, Target, Variables};
use sseproof_rules::profile;
use sseproof_units::{counted, list};

use crate::args::Lint;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::{check, files, known, screen};

struct File {
    name: String,
    text: String,
    kind: FileKind,
}

pub(crate) fn run(arguments: &Lint) -> Result<Exit, Blame> {
    let given = check::variables(&arguments.var).usage()?;
    let mut files = Vec::new();
    for path in &arguments.files {
        files.extend(read(path).usage()?);
    }
    // Targets first, since they have values for the variables of scenarios.
    files.sort_by_key(|file| file.kind);
    let mut variables = Variables::with_environment(given);
    let mut wrong = 0;
    for file in &files {
        if let Err(mistakes) = judge(file, &mut variables) {
            wrong += 1;
            screen::say(format_args!("{mistakes:#}\n"));
        }
    }
    if wrong > 0 {
        let error = anyhow!("{wrong} of {} with mistakes", counted(files.len(), "file"));
        return Err(error).usage();
    }
    let kinds = FileKind::ALL.into_iter().filter_map(|kind| {
        let count = files.iter().filter(|file| file.kind == kind).count();
        (count > 0).then(|| counted(count, kind.noun()))
    });
    screen::print(&format!("✓ no mistake in {}\n", list(&kinds.collect::<Vec<_>>())))?;
    Ok(Exit::Held)
}

/// A file, or those of a folder that are of a kind.
fn read(path: &Path) -> anyhow::Result<Vec<File>> {
    let one = |path: &Path| -> anyhow::Result<(String, String, Option<FileKind>)> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        let kind = FileKind::of(&text);
        Ok((name, text, kind))
    };
    if !path.is_dir() {
        let (name, text, kind) = one(path)?;
        let kind = kind.with_context(|| format!("{name} is not {}", FileKind::EXPECTED))?;
        return Ok(vec![File { name, text, kind }]);
    }
    let mut found = Vec::new();
    for path in files::in_folder(path)? {
        match one(&path)? {
            (name, text, Some(kind)) => found.push(File { name, text, kind }),
            (name, _, None) => screen::say(format_args!(
                "sseproof: left out: {name} is not {}",
                FileKind::EXPECTED
            )),
        }
    }
    if found.is_empty() {
        anyhow::bail!("{} has no YAML file that is {}", path.display(), FileKind::EXPECTED);
    }
    Ok(found)
}

/// A machine that only reads files may lack the variables of the environment.
const UNKNOWN: &str = "unknown";

fn judge(file: &File, variables: &mut Variables) -> anyhow::Result<()> {
    let File { name, text, kind } = file;
    for unset in files::of_environment(text) {
        variables.environment.entry(unset.to_owned()).or_insert_with(|| UNKNOWN.to_owned());
    }
    match kind {
        FileKind::Target => {
            let target = Target::parse(name, text, variables)?;
            let own = target.profile.as_deref().and_then(profile);
            let own = own.map_or(&[][..], |profile| profile.variables).iter();
            let own = own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            for (name, value) in target.vars.into_iter().chain(own) {
                variables.given.entry(name).or_insert(value);
            }
        }
        FileKind::Scenario => drop(Scenario::parse(name, text, variables)?),
        FileKind::Plan => drop(PlanFile::parse(name, text, variables)?),
        FileKind::Known => {
            // The ids are those of rules or of requirements of parsers.
            let of_parsers = |error| known::parse(name, text, &known::OF_PARSERS).or(Err(error));
            drop(known::parse(name, text, &known::RULES).or_else(of_parsers)?);
        }
    }
    Ok(())
}

/// The files of a folder that are scenarios.
pub(crate) fn scenarios(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let all = read(folder)?.into_iter().filter(|file| file.kind == FileKind::Scenario);
    let scenarios: Vec<_> = all.map(|file| PathBuf::from(file.name)).collect();
    if scenarios.is_empty() {
        anyhow::bail!("{} has no scenario (a YAML file with `scenario:`)", folder.display());
    }
    Ok(scenarios)
}
