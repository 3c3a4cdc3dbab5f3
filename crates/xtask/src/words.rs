//! The phrases and names that must not come into the tree again (`specs/words.yaml`).
//!
//! A text that has to be translated first costs every reader; a list that a machine reads keeps it from growing back.

mod prose;

use std::fs;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use globset::{Glob, GlobSet, GlobSetBuilder};
use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use crate::root;

const LIST: &str = "specs/words.yaml";

/// Files of these kinds are read as one text; of `.rs`, only comments and strings are.
const TEXTS: [&str; 12] =
    ["md", "yaml", "yml", "toml", "html", "py", "js", "mjs", "cjs", "go", "sh", "java"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    phrases: Vec<Entry>,
    names: Vec<Entry>,
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    find: String,
    unless: Option<String>,
    write: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "examples, for the tests"))]
    bad: Vec<String>,
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "examples, for the tests"))]
    fine: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    paths: Vec<String>,
    /// Only this match; every one without it.
    text: Option<String>,
    #[expect(dead_code, reason = "for the reader of the list")]
    why: String,
}

/// The entries of one list as a single expression, so that a file is read once.
struct Patterns {
    any: Regex,
    entries: Vec<(Option<Regex>, String)>,
}

struct Check {
    phrases: Patterns,
    names: Patterns,
    exceptions: Vec<(GlobSet, Option<String>)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Hit {
    at: usize,
    text: String,
    write: String,
}

/// Fails if a file has a phrase of the list.
pub(crate) fn check() -> anyhow::Result<()> {
    let hits = show(&[])?;
    ensure!(hits == 0, "{hits} phrases that {LIST} forbids");
    println!("no phrase that {LIST} forbids");
    Ok(())
}

/// Shows every match in these paths, or in all files, and counts them.
pub(crate) fn show(paths: &[String]) -> anyhow::Result<usize> {
    let check = Check::load()?;
    let mut hits = 0;
    for path in tracked_files()? {
        if paths.is_empty() || paths.iter().any(|prefix| path.starts_with(prefix)) {
            let found = check.file(&path)?;
            hits += found.len();
            found.iter().for_each(|line| println!("{line}"));
        }
    }
    Ok(hits)
}

/// The paths of the files that are in git, or will be.
pub(crate) fn tracked_files() -> anyhow::Result<Vec<String>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .context("start git")?;
    if !listed.status.success() {
        bail!("`git ls-files` ended with {}", listed.status);
    }
    let names = String::from_utf8(listed.stdout).context("read the names of the files")?;
    Ok(names.lines().map(str::to_owned).collect())
}

impl Check {
    fn load() -> anyhow::Result<Self> {
        let text = fs::read_to_string(root().join(LIST)).with_context(|| format!("read {LIST}"))?;
        let list: List = serde_yaml::from_str(&text).with_context(|| format!("read {LIST}"))?;
        Self::new(list)
    }

    fn new(list: List) -> anyhow::Result<Self> {
        let exceptions = list.exceptions.into_iter().map(|exception| {
            let mut globs = GlobSetBuilder::new();
            for path in &exception.paths {
                globs.add(Glob::new(path)?);
            }
            Ok((globs.build()?, exception.text))
        });
        Ok(Self {
            phrases: Patterns::new(&list.phrases)?,
            names: Patterns::new(&list.names)?,
            exceptions: exceptions.collect::<anyhow::Result<_>>()?,
        })
    }

    /// `path:line:column: …` for each match in the file.
    fn file(&self, path: &str) -> anyhow::Result<Vec<String>> {
        let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
        let file = root().join(path);
        if path == LIST || !(kind == "rs" || TEXTS.contains(&kind)) || !file.is_file() {
            return Ok(Vec::new());
        }
        let mut excepted = Vec::new();
        for (globs, text) in &self.exceptions {
            if globs.is_match(path) {
                let Some(text) = text else { return Ok(Vec::new()) };
                excepted.push(text);
            }
        }
        let text = fs::read_to_string(file).with_context(|| format!("read {path}"))?;
        let mut hits = self.text(&text, kind == "rs");
        hits.retain(|hit| !excepted.contains(&&hit.text));
        Ok(hits.iter().map(|hit| format!("{path}:{}", hit.line(&text))).collect())
    }

    fn text(&self, text: &str, is_rust: bool) -> Vec<Hit> {
        let split = if is_rust { prose::of_rust(text) } else { prose::of_text(text) };
        let mut hits = self.phrases.hits(&split.prose);
        hits.extend(self.names.hits(&split.code));
        hits.sort_by_key(|hit| hit.at);
        hits
    }
}

impl Patterns {
    fn new(entries: &[Entry]) -> anyhow::Result<Self> {
        let groups: Vec<String> =
            entries.iter().map(|entry| format!(r"(\b(?:{})\b)", entry.find)).collect();
        let any = expression(&groups.join("|"))?;
        ensure!(any.captures_len() == entries.len() + 1, "{LIST}: groups must be `(?:…)`");
        let entries = entries.iter().map(|entry| {
            let unless = entry.unless.as_ref().map(|unless| expression(&format!("^(?:{unless})")));
            Ok((unless.transpose()?, entry.write.clone()))
        });
        Ok(Self { any, entries: entries.collect::<anyhow::Result<_>>()? })
    }

    fn hits(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for found in self.any.captures_iter(text) {
            let matched = found
                .iter()
                .skip(1)
                .zip(&self.entries)
                .find_map(|(group, entry)| Some((group?, entry)));
            let Some((group, (unless, write))) = matched else { continue };
            if !unless.as_ref().is_some_and(|unless| unless.is_match(&text[group.start()..])) {
                let words = String::from_utf8_lossy(group.as_bytes());
                let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
                hits.push(Hit { at: group.start(), text, write: write.clone() });
            }
        }
        hits
    }
}

/// Any letter case; a blank stands for any white space, so that a phrase may go over the end of a line.
fn expression(pattern: &str) -> anyhow::Result<Regex> {
    RegexBuilder::new(&pattern.replace(' ', r"\s+"))
        .case_insensitive(true)
        .unicode(false)
        .build()
        .with_context(|| format!("{LIST}: `{pattern}`"))
}

impl Hit {
    fn line(&self, text: &str) -> String {
        let before = &text.as_bytes()[..self.at];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        format!("{line}:{column}: \"{}\": write {}", self.text, self.write)
    }
}

#[cfg(test)]
mod tests {
    use super::{Check, Exception, LIST, List};
    use crate::root;

    fn list() -> List {
        let text = std::fs::read_to_string(root().join(LIST)).expect("the list is there");
        serde_yaml::from_str(&text).expect("the list is well-formed")
    }

    #[test]
    fn each_entry_finds_its_bad_examples_and_passes_its_fine_ones() {
        let list = list();
        let cases: Vec<(bool, String, bool)> = [(false, &list.phrases), (true, &list.names)]
            .into_iter()
            .flat_map(|(is_name, entries)| entries.iter().map(move |entry| (is_name, entry)))
            .flat_map(|(is_name, entry)| {
                let bad = entry.bad.iter().map(move |text| (is_name, text.clone(), true));
                bad.chain(entry.fine.iter().map(move |text| (is_name, text.clone(), false)))
            })
            .collect();
        let check = Check::new(list).expect("the list is well-formed");
        for (is_name, text, is_bad) in cases {
            let source = if is_name { text.clone() } else { format!("f(); // {text}") };
            assert_eq!(!check.text(&source, true).is_empty(), is_bad, "{text}");
        }
    }

    #[test]
    fn a_phrase_is_found_across_lines_with_its_place_and_remedy() {
        let check = Check::new(list()).expect("the list is well-formed");
        let source = "fn f() {\n    // The reader wants to\n    // know it.\n}\n";
        let hits = check.text(source, true);
        let lines: Vec<String> = hits.iter().map(|hit| hit.line(source)).collect();
        assert_eq!(lines, ["2:19: \"wants to know\": write requires, needs"]);
    }

    #[test]
    fn code_strings_and_names_are_kept_apart() {
        let check = Check::new(list()).expect("the list is well-formed");
        assert_eq!(check.text("let nobodies = mended;", true), []);
        assert_eq!(check.text("let ways = Ways::new(\"Ways\");", true).len(), 1);
        assert_eq!(check.text("f(\"nobody\", \"is\", \"no\", \"number\")", true).len(), 1);
    }

    #[test]
    fn an_exception_names_its_files_and_perhaps_one_text() {
        let mut list = list();
        let except = |paths: &str, text: Option<&str>| Exception {
            paths: vec![paths.to_owned()],
            text: text.map(str::to_owned),
            why: String::new(),
        };
        list.exceptions = vec![except("crates/xtask/src/words/**", None)];
        let check = Check::new(list).expect("the list is well-formed");
        assert_eq!(check.file("crates/xtask/src/words/prose.rs").expect("read"), [""; 0]);
        assert_eq!(check.file("Cargo.lock").expect("read"), [""; 0]);
    }
}
