//! `sseproof lint`: reads targets, scenarios, plans and lists of known failures as `check` and `load` do,
//! without a server.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sseproof_files::{FileKind, PlanFile, Scenario, Target, Variables, top_level_keys};
use sseproof_rules::profile;
use sseproof_units::{counted, list};

use crate::args::Lint;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::{check, files, known, screen};

struct File {
    path: PathBuf,
    text: String,
    kind: Kind,
}

/// Targets come first, since they have values for the variables of scenarios.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Language(FileKind),
    /// A list of known failures.
    Known,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        let is_rule = |key: &str| key.contains('/') || key.contains('*');
        let mut keys = top_level_keys(text).peekable();
        let is_known = keys.peek().is_some() && keys.all(is_rule);
        match FileKind::of(text) {
            Some(kind) => Some(Self::Language(kind)),
            None => (is_known || known::is_empty(text)).then_some(Self::Known),
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Language(kind) => kind.noun(),
            Self::Known => "list",
        }
    }
}

pub(crate) fn run(arguments: &Lint) -> Result<Exit, Blame> {
    let given = check::variables(&arguments.var).usage()?;
    let mut files = Vec::new();
    for path in &arguments.files {
        files.extend(read(path).usage()?);
    }
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
    let kinds = FileKind::ALL.map(Kind::Language).into_iter().chain([Kind::Known]);
    let kinds = kinds.filter_map(|kind| {
        let count = files.iter().filter(|file| file.kind == kind).count();
        (count > 0).then(|| counted(count, kind.noun()))
    });
    screen::print(&format!("✓ no mistake in {}\n", list(&kinds.collect::<Vec<_>>())))?;
    Ok(Exit::Held)
}

/// A file, or those of a folder that are of a kind.
fn read(path: &Path) -> anyhow::Result<Vec<File>> {
    let one = |path: &Path| -> anyhow::Result<(String, Option<Kind>)> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let kind = Kind::of(&text);
        Ok((text, kind))
    };
    let none = |path: &Path| format!("{} is not {}", path.display(), FileKind::EXPECTED);
    if !path.is_dir() {
        let (text, kind) = one(path)?;
        let kind = kind.with_context(|| none(path))?;
        return Ok(vec![File { path: path.to_owned(), text, kind }]);
    }
    let mut found = Vec::new();
    for path in files::in_folder(path)? {
        match one(&path)? {
            (text, Some(kind)) => found.push(File { path, text, kind }),
            (_, None) => screen::say(format_args!("sseproof: left out: {}", none(&path))),
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
    let File { path, text, kind } = file;
    let name = &path.display().to_string();
    for unset in files::of_environment(text) {
        variables.environment.entry(unset.to_owned()).or_insert_with(|| UNKNOWN.to_owned());
    }
    match kind {
        Kind::Language(FileKind::Target) => {
            let target = Target::parse(name, text, variables)?;
            let own = target.profile.as_deref().and_then(profile);
            let own = own.map_or(&[][..], |profile| profile.variables).iter();
            let own = own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            for (name, value) in target.vars.into_iter().chain(own) {
                variables.given.entry(name).or_insert(value);
            }
        }
        Kind::Language(FileKind::Scenario) => drop(Scenario::parse(name, text, variables)?),
        Kind::Language(FileKind::Plan) => drop(PlanFile::parse(name, text, variables)?),
        Kind::Known => {
            // The ids are those of rules or of requirements of parsers.
            let of_parsers = |error| known::read(path, &known::OF_PARSERS).or(Err(error));
            drop(known::read(path, &known::RULES).or_else(of_parsers)?);
        }
    }
    Ok(())
}

/// The files of a folder that are scenarios.
pub(crate) fn scenarios(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_scenario = |file: &File| file.kind == Kind::Language(FileKind::Scenario);
    let scenarios = read(folder)?.into_iter().filter(is_scenario).map(|file| file.path);
    let scenarios: Vec<_> = scenarios.collect();
    if scenarios.is_empty() {
        anyhow::bail!("{} has no scenario (a YAML file with `scenario:`)", folder.display());
    }
    Ok(scenarios)
}
