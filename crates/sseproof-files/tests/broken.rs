//! The three languages: every mistake in a file is answered with its place and with what to write
//! instead, and no beginning of a file breaks the reader.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::fmt::Write as _;
use std::path::Path;

use sseproof_files::{Mistakes, PlanFile, Scenario, Target, Variables, plans};

/// The names and texts of the files of a folder.
fn scenarios(path: &str) -> impl Iterator<Item = (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(file.path()).unwrap())
        })
        .collect();
    files.sort();
    files.into_iter()
}

fn broken_plans() -> impl Iterator<Item = (String, String)> {
    let parts = include_str!("plans/broken.yaml").split("---\n");
    let texts = parts.map(|text| text.split_once("#\n").map_or(text, |(_, text)| text));
    texts.map(|text| ("plan.yaml".to_owned(), text.to_owned()))
}

fn broken_targets() -> impl Iterator<Item = (String, String)> {
    let texts: Vec<String> = serde_yaml::from_str(include_str!("targets/broken.yaml")).unwrap();
    texts.into_iter().map(|text| ("target.yaml".to_owned(), text))
}

fn scenario(name: &str, text: &str) -> Option<Mistakes> {
    Scenario::parse(name, text, &Variables::default()).err()
}

fn plan(name: &str, text: &str) -> Option<Mistakes> {
    PlanFile::parse(name, text, &Variables::default()).err()
}

fn target(name: &str, text: &str) -> Option<Mistakes> {
    Target::parse(name, text, &Variables::default()).err()
}

/// The messages for all of them, each with its line of the file.
fn messages(
    files: impl Iterator<Item = (String, String)>,
    mistakes: impl Fn(&str, &str) -> Option<Mistakes>,
) -> String {
    let mut shown = String::new();
    for (name, source) in files {
        let mistakes = mistakes(&name, &source).unwrap_or_else(|| panic!("it parses: {source}"));
        for mistake in &mistakes.0 {
            assert!(mistake.line >= 1 && mistake.column >= 1, "{mistakes}");
            let written = source.lines().nth(mistake.line - 1).unwrap_or_default();
            assert_eq!(mistake.text, written, "{name}: the line is not the file's");
        }
        write!(shown, "{mistakes}\n\n").unwrap();
    }
    shown
}

#[test]
fn each_broken_file_gets_its_message() {
    insta::assert_snapshot!("messages", messages(scenarios("tests/broken"), scenario));
    insta::assert_snapshot!("plans", messages(broken_plans(), plan));
    insta::assert_snapshot!("targets", messages(broken_targets(), target));
}

fn beginnings(
    files: impl Iterator<Item = (String, String)>,
    mistakes: impl Fn(&str, &str) -> Option<Mistakes>,
) {
    for (_, source) in files {
        for (end, _) in source.char_indices() {
            if let Some(mistakes) = mistakes("f", &source[..end]) {
                assert!(!mistakes.0.is_empty(), "{}", &source[..end]);
                assert!(!mistakes.to_string().contains('\u{1f}'), "{mistakes}");
            }
        }
    }
}

#[test]
fn no_beginning_of_a_file_breaks_the_reader() {
    for path in ["tests/broken", "../../scenarios/examples", "../../scenarios/conformance"] {
        beginnings(scenarios(path), scenario);
    }
    let ready = plans().iter().map(|plan| (String::new(), plan.source.to_owned()));
    beginnings(broken_plans().chain(ready), plan);
    beginnings(broken_targets(), target);
}

#[test]
fn every_example_parses() {
    let mut variables = Variables::default();
    variables.environment.insert("STREAM_TOKEN".to_owned(), "secret".to_owned());
    let mut count = 0;
    for (name, source) in scenarios("../../scenarios/examples") {
        if let Err(mistakes) = Scenario::parse(&name, &source, &variables) {
            panic!("{mistakes}");
        }
        count += 1;
    }
    assert!(count >= 5);
}
