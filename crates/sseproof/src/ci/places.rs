//! The lines at which failures are shown: CI systems accept no failure without a line of a file.
//!
//! In this order: the step of a scenario that failed; the scenario of the user that saw the fault; the
//! `url:` of the target file; the recording that was judged; the first scenario of the user; an
//! adapter that is a file; the line of the workflow that runs sseproof; and `sseproof.yaml`, which a
//! user would write next.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf, absolute};

use sseproof_report::ci::{Place, Places};

use crate::check::USUAL_TARGET;
use crate::known::Known;

/// The file of a GitLab pipeline, if nothing else is configured.
const GITLAB: &str = ".gitlab-ci.yml";

/// The places of a check of a server.
pub(crate) fn of_check(
    target: Option<&Path>,
    scenarios: &[PathBuf],
    replay: Option<&Path>,
    known: Option<&[Known]>,
) -> Places {
    let of_scenario = |file: &PathBuf| (file.display().to_string(), of_key(file, "scenario"));
    let scenarios: Vec<_> = scenarios.iter().map(of_scenario).collect();
    let first = scenarios.first().map(|(_, place)| place.clone());
    let target = target.map(|file| of_key(file, "url"));
    let replay = replay.map(|file| Place::new(from_root(file), 1));
    let main = target.or(replay).or(first).unwrap_or_else(of_job);
    Places { main, scenarios: scenarios.into_iter().collect(), known: of_known(known) }
}

/// The places of a check of a client or a parser with this adapter.
pub(crate) fn of_adapter(command: &[String], known: Option<&[Known]>) -> Places {
    // A file such as `/usr/lib/adapter.py` is not in the repository.
    let is_ours = |file: &&Path| file.is_file() && !from_root(file).starts_with('/');
    let main = match command.iter().map(Path::new).find(is_ours) {
        Some(file) => Place::new(from_root(file), 1),
        None => of_job(),
    };
    Places { known: of_known(known), ..Places::at(main) }
}

fn of_known(known: Option<&[Known]>) -> BTreeMap<String, Place> {
    let entries = known.into_iter().flatten().map(|known| {
        let line = known.entry.mistake("", None);
        let place = Place::new(from_root(Path::new(&line.file)), line.line);
        (known.entry.glob.clone(), place)
    });
    entries.collect()
}

/// The line of a key, or the first line.
fn of_key(file: &Path, key: &str) -> Place {
    let text = fs::read_to_string(file).unwrap_or_default();
    let is_key = |line: &str| {
        let line = line.trim_start_matches(['"', '\'', '{', ' ']);
        let rest = line.strip_prefix(key).map(|rest| rest.trim_start_matches(['"', '\'', ' ']));
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let line = text.lines().position(is_key).map_or(1, |index| index + 1);
    Place::new(from_root(file), line)
}

/// The line of the workflow of this job that runs sseproof.
fn of_job() -> Place {
    let github = env::var("GITHUB_WORKFLOW_REF").ok().and_then(|text| workflow(&text));
    let gitlab = || {
        env::var_os("GITLAB_CI")?;
        Some(env::var("CI_CONFIG_PATH").unwrap_or_else(|_| GITLAB.to_owned()))
    };
    let name = github.or_else(gitlab);
    let file = name.map(|name| root().unwrap_or_default().join(name));
    match file.filter(|file| file.is_file()) {
        Some(file) => {
            let text = fs::read_to_string(&file).unwrap_or_default();
            Place::new(from_root(&file), line_of_job(&text))
        }
        None => Place::new(USUAL_TARGET, 1),
    }
}

/// The file in `owner/repository/.github/workflows/sse.yml@refs/heads/main`.
fn workflow(text: &str) -> Option<String> {
    let (path, _) = text.split_once('@')?;
    path.splitn(3, '/').nth(2).map(str::to_owned)
}

/// The first line with a check, or else with the name of the program.
fn line_of_job(text: &str) -> usize {
    let with = |words: &str| text.lines().position(|line| line.contains(words));
    with("sseproof check").or_else(|| with("sseproof")).map_or(1, |index| index + 1)
}

/// The root of the repository.
fn root() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let given = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].into_iter().find_map(|name| {
        let folder = fs::canonicalize(env::var_os(name)?).ok()?;
        here.starts_with(&folder).then_some(folder)
    });
    given.or_else(|| {
        here.ancestors().find(|folder| folder.join(".git").exists()).map(Path::to_owned)
    })
}

/// The name of a file from the root of the repository, or from this folder if there is none; that of
/// a file outside of it stays whole.
fn from_root(file: &Path) -> String {
    let base = root().or_else(|| env::current_dir().ok()).unwrap_or_default();
    let whole = absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut normal = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    let is_inside = normal.starts_with(&base);
    let parts = normal.strip_prefix(&base).unwrap_or(&normal).components();
    let parts = parts.filter(|part| *part != Component::RootDir);
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    format!("{}{}", if is_inside { "" } else { "/" }, parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_key_is_found_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        for (text, line) in [
            ("# url: x\nprofile: mcp\nurl: http://127.0.0.1/\n", 3),
            ("a: 1\n\"url\" : http://127.0.0.1/\n", 2),
            ("{ url: http://127.0.0.1/ }", 1),
            ("a: 1\nurls: x\n", 1),
        ] {
            let file = folder.path().join("target.yaml");
            fs::write(&file, text).unwrap();
            assert_eq!(of_key(&file, "url").line, line, "{text}");
        }
        assert_eq!(of_key(Path::new("none.yaml"), "url").line, 1);
    }

    #[test]
    fn a_workflow_is_known_by_its_reference() {
        let text = "octo/hello/.github/workflows/a b.yml@refs/heads/x@y";
        assert_eq!(workflow("octo/hello/ci.yml@refs/heads/main").as_deref(), Some("ci.yml"));
        assert_eq!(workflow(text).as_deref(), Some(".github/workflows/a b.yml"));
        assert_eq!(workflow("ci.yml"), None);
        assert_eq!(line_of_job("a\n# sseproof\n- run: sseproof check x\n"), 3);
        assert_eq!(line_of_job("a\nuses: x/sseproof@v1\n"), 2);
        assert_eq!(line_of_job(""), 1);
    }

    #[test]
    fn files_are_named_from_the_root_of_the_repository() {
        // Tests run in the folder of the crate.
        assert_eq!(from_root(Path::new("./src/../Cargo.toml")), "crates/sseproof/Cargo.toml");
        assert_eq!(from_root(Path::new("../../README.md")), "README.md");
        assert_eq!(from_root(Path::new("/etc/a/../hosts")), "/etc/hosts");
        let command = ["cat", "/etc/hosts", "src/ci.rs"].map(str::to_owned);
        assert_eq!(of_adapter(&command, None).main.file, "crates/sseproof/src/ci.rs");
    }
}
