//! The site of static pages, from what the repository has: no check runs, and nothing is measured.
//!
//! The page of changes compares with the results of the last different site in the same folder, or with
//! a given file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use sseproof_site::{Described, File, Group, Input, Kind, Matrix, Text};

use crate::{matrix, root, versus};

/// Where the site is written, unless another folder is given.
const FOLDER: &str = "target/site";
/// The results of the site before, for the next comparison.
const BEFORE: &str = "matrix-before.json";
const BUGS: &str = "reports/bugs";
const OVERVIEW: &str = "README";
/// Lock files say nothing to a reader.
const LOCKS: [&str; 3] = ["package-lock.json", "Cargo.lock", "go.sum"];
/// The server behind all proxies.
const UPSTREAM: &str = "peers/upstream";
/// The reports that have other pages.
const WITH_PAGES: [&str; 3] = ["clients", "peers", "sse-vs-websocket"];

#[derive(Args)]
pub(crate) struct Arguments {
    /// Write it there.
    #[arg(long, value_name = "FOLDER", default_value = FOLDER)]
    out: PathBuf,
    /// Compare with the results of this `matrix.json`, instead of those of the site before.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let out = root().join(&arguments.out);
    let mut input = input()?;
    input.before = before(arguments.since.as_deref(), &out, &input.matrix)?;
    let files = sseproof_site::pages(&input);
    write(&out, &files)?;
    if let Some(before) = &input.before {
        let path = out.join(BEFORE);
        fs::write(&path, before.json()).with_context(|| format!("write {}", path.display()))?;
    }
    println!("wrote {} files to {}", files.len(), out.display());
    Ok(())
}

pub(crate) fn write(out: &Path, files: &[File]) -> anyhow::Result<()> {
    for file in files {
        let path = out.join(&file.path);
        let folder = path.parent().unwrap_or(out);
        fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        fs::write(&path, &file.text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

/// The results to compare with: those of the file, or of the last site in the folder that had others.
fn before(since: Option<&Path>, out: &Path, now: &Matrix) -> anyhow::Result<Option<Matrix>> {
    let read = |path: &Path| -> anyhow::Result<Matrix> {
        let context = || format!("read {}", path.display());
        let text = fs::read_to_string(path).with_context(context)?;
        Matrix::parse(&text).with_context(context)
    };
    if let Some(since) = since {
        return read(since).map(Some);
    }
    for file in ["matrix.json", BEFORE] {
        let path = out.join(file);
        if path.exists() {
            let matrix = read(&path)?;
            if matrix != *now {
                return Ok(Some(matrix));
            }
        }
    }
    Ok(None)
}

/// All that the site is made from, without earlier results.
pub(crate) fn input() -> anyhow::Result<Input> {
    let matrix = matrix::read()?;
    let (mut bugs, scripts) = texts(BUGS, |_| true)?
        .into_iter()
        .partition::<Vec<Text>, _>(|text| text.name.ends_with(".md"));
    let mut reports = texts("reports", |name| name.ends_with(".md"))?;
    for text in &mut bugs {
        shorten(text);
    }
    let overview = bugs.iter().position(|text| text.name == OVERVIEW);
    let overview = overview.map(|at| bugs.remove(at).text).unwrap_or_default();
    reports.iter_mut().for_each(shorten);
    let versus_words = reports
        .iter()
        .find(|text| text.name == "sse-vs-websocket")
        .map(|text| versus::by_hand(&text.text).to_owned());
    reports.retain(|text| !WITH_PAGES.contains(&text.name.as_str()));
    Ok(Input {
        described: described(&matrix)?,
        matrix,
        before: None,
        bugs,
        bugs_overview: overview,
        scripts,
        versus: versus::kept()?,
        versus_words: versus_words.unwrap_or_default(),
        reports,
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

/// Removes `.md` from its name.
fn shorten(text: &mut Text) {
    text.name = text.name.trim_end_matches(".md").to_owned();
}

/// The members of a description that the site shows.
#[derive(Default, Deserialize)]
struct Card {
    #[serde(default)]
    expect: BTreeMap<String, String>,
    #[serde(default)]
    sometimes: BTreeMap<String, String>,
}

fn described(matrix: &Matrix) -> anyhow::Result<BTreeMap<(String, String), Described>> {
    let mut all = BTreeMap::new();
    for subject in &matrix.subjects {
        let group = subject.kind.group();
        let kind = group.scenarios();
        let card_name = match group {
            Group::Clients => "client.yaml",
            Group::Parsers => "parser.yaml",
            Group::Servers | Group::Proxies | Group::Protocols => "peer.yaml",
        };
        let folder = format!("scenarios/{kind}/{}", subject.name);
        let path = root().join(&folder).join(card_name);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let card: Card = serde_yaml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        let is_shown = |name: &str| name != card_name && !LOCKS.contains(&name);
        let mut files = texts(&folder, is_shown)?;
        if subject.kind == Kind::Proxy {
            files.extend(
                texts(&format!("scenarios/{UPSTREAM}"), is_shown)?
                    .into_iter()
                    .map(|text| Text { name: format!("{UPSTREAM}/{}", text.name), ..text }),
            );
        }
        let Card { expect: causes, sometimes } = card;
        let key = (kind.to_owned(), subject.name.clone());
        all.insert(key, Described { causes, sometimes, files });
    }
    Ok(all)
}

/// The text files of the folder, and of the folders in it, by name.
fn texts(folder: &str, is_wanted: impl Fn(&str) -> bool) -> anyhow::Result<Vec<Text>> {
    let mut found = Vec::new();
    let is_nested = folder.starts_with("scenarios/");
    collect(&root().join(folder), "", is_nested, &is_wanted, &mut found)?;
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn collect(
    folder: &Path,
    prefix: &str,
    is_nested: bool,
    is_wanted: &impl Fn(&str) -> bool,
    found: &mut Vec<Text>,
) -> anyhow::Result<()> {
    let context = || format!("read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let full = format!("{prefix}{name}");
        if path.is_dir() {
            if is_nested {
                collect(&path, &format!("{full}/"), is_nested, is_wanted, found)?;
            }
        } else if is_wanted(name) {
            // Only text is shown.
            let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
            if let Ok(text) = String::from_utf8(bytes) {
                found.push(Text { name: full, text });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use regex::Regex;

    use super::*;

    /// The site of the results in the repository.
    fn site() -> Vec<File> {
        let mut input = input().expect("the input");
        let mut before = input.matrix.clone();
        before.subjects.truncate(before.subjects.len() / 2);
        input.before = Some(before);
        let files = sseproof_site::pages(&input);
        assert_eq!(files, sseproof_site::pages(&input), "the bytes are always the same");
        files
    }

    #[test]
    fn each_link_leads_somewhere_and_no_id_occurs_twice() {
        let files = site();
        let ids = Regex::new(r#" id="([^"]*)""#).expect("an expression");
        let links = Regex::new(r#" href="([^"]*)""#).expect("an expression");
        let mut pages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for file in &files {
            let mut seen = BTreeSet::new();
            for found in ids.captures_iter(&file.text) {
                let id = found.get(1).expect("a group").as_str();
                assert!(seen.insert(id), "{} has two ids {id}", file.path);
            }
            assert!(pages.insert(&file.path, seen).is_none(), "{} is there twice", file.path);
        }
        let mut count = 0;
        for file in files.iter().filter(|file| file.path.ends_with(".html")) {
            for found in links.captures_iter(&file.text) {
                let link = found.get(1).expect("a group").as_str();
                if link.contains(':') {
                    assert!(
                        link.starts_with("https://") || link == "data:,",
                        "{}: {link}",
                        file.path
                    );
                    continue;
                }
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = resolved(&file.path, path);
                let ids = pages.get(target.as_str());
                assert!(ids.is_some(), "{}: {link} leads nowhere", file.path);
                let has = anchor.is_empty() || ids.is_some_and(|ids| ids.contains(anchor));
                assert!(has, "{}: {link} has no such place", file.path);
                count += 1;
            }
        }
        assert!(count > 10_000, "only {count} links");
    }

    /// The path of a link in a page.
    fn resolved(page: &str, link: &str) -> String {
        if link.is_empty() {
            return page.to_owned();
        }
        let mut parts: Vec<&str> = page.split('/').collect();
        parts.pop();
        for part in link.split('/') {
            match part {
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    #[test]
    fn each_script_of_a_bug_is_shown() {
        let input = input().expect("the input");
        for script in &input.scripts {
            let is_named = input.bugs.iter().any(|bug| bug.text.contains(&script.name));
            assert!(is_named, "no report names {}", script.name);
        }
    }
}
