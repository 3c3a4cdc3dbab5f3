//! Text of others has no effect in any output: see `inert.yaml`.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde::Deserialize;

use crate::program::{Folder, answering, finish, free_address, sseproof};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Material {
    texts: Vec<String>,
    answers: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    asks: Vec<String>,
    runs: Vec<String>,
}

#[test]
fn text_of_others_is_inert_in_every_output() {
    let material: Material = serde_yaml::from_str(include_str!("inert.yaml")).unwrap();
    let mut mentions = BTreeSet::new();
    // One after the other: the tests of `load` beside this one need a processor.
    material.texts.iter().for_each(|text| play(&material, text, &mut mentions));
    let (answers, files) = (material.answers.keys(), material.asks.iter().chain(&material.runs));
    let never: Vec<_> = answers.chain(files).filter(|of| !mentions.contains(*of)).collect();
    assert!(never.is_empty(), "the text is never mentioned: {never:#?}");
}

fn play(material: &Material, evil: &str, mentions: &mut BTreeSet<String>) {
    let folder = Folder::new();
    let free = free_address().to_string();
    let quoted: String = evil.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let filled = |text: &str, url: &str| {
        text.replace("$URL", url)
            .replace("$DIR", folder.name("").trim_end_matches('/'))
            .replace("$FREE", &free)
            .replace("$JSON", &serde_json::Value::from(evil).to_string())
            .replace("$QUOTED", &format!("\"{quoted}\""))
            .replace("$NAME", &evil.replace('/', "_"))
            .replace("$EVIL", evil)
    };
    for (name, text) in &material.files {
        folder.write(name, &filled(text, ""));
    }
    let mut played = |line: &str, url: &str, of: &str| {
        let words = shlex::split(line).unwrap();
        let words: Vec<_> = words.iter().map(|word| filled(word, url)).collect();
        let mut command = sseproof(&words.iter().map(String::as_str).collect::<Vec<_>>());
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", folder.name("summary.md"));
        let ran = finish(command.spawn().unwrap());
        let about = format!("{line} ({of})");
        assert_ne!(ran.code, Some(4), "{about}: {ran:#?}");
        let said = ran.out + &ran.err;
        if said.contains("evil") {
            mentions.extend([line.to_owned(), of.to_owned()]);
        }
        is_inert(&without_commands(&said, &about), &about);
        for file in reports(&folder.path("")) {
            is_inert(&fs::read_to_string(&file).unwrap(), &format!("{about}: {}", file.display()));
        }
    };
    for (name, answer) in &material.answers {
        let (url, _requests) = answering(filled(answer, "").as_bytes());
        material.asks.iter().for_each(|line| played(line, &url, name));
    }
    material.runs.iter().for_each(|line| played(line, "", ""));
}

/// The files for people that a run has written.
fn reports(folder: &Path) -> Vec<PathBuf> {
    let names = ["r.md", "r.xml", "r.html", "r.sarif", "r.json", "summary.md"]
        .map(|name| folder.join(name));
    let logs = fs::read_dir(folder.join("logs")).into_iter().flatten();
    let logs = logs.map(|entry| entry.unwrap().path());
    names.into_iter().filter(|name| name.exists()).chain(logs).collect()
}

/// The output without the commands of GitHub Actions that the program writes itself: text of others is
/// in their values, and ends none of them.
fn without_commands(said: &str, about: &str) -> String {
    let command = Regex::new(
        r"^::(error|warning|notice) (file=[^:,]*,line=\d+,(col=\d+,)?)?title=sseproof%3A [^:,]*::",
    );
    let command = command.unwrap();
    let escapes = Regex::new("%(25|0D|0A|3A|2C)").unwrap();
    let is_command = |line: &&str| {
        let is = command.is_match(line);
        assert!(!is || !escapes.replace_all(line, "").contains(['%', '\r']), "{about}: {line}");
        is
    };
    let (commands, others): (Vec<_>, Vec<_>) = said.split('\n').partition(is_command);
    commands.iter().for_each(|line| is_inert(line.trim_start_matches(':'), about));
    others.join("\n")
}

fn is_inert(text: &str, about: &str) {
    let hidden = |char: &char| {
        (char.is_control() && *char != '\n')
            || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
            || matches!(char, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    assert_eq!(text.chars().find(hidden), None, "{about}: {text:?}");
    for command in [
        r"##[\w.-]*\[",
        r"section_(start|end):\d",
        r"(?m)^[\s--\n]*::[^\n]*::",
        r"(?m)^[\s--\n]*(---|\+\+\+|~~~|\^\^\^) ",
    ] {
        let found = Regex::new(command).unwrap().find(text).map(|found| found.as_str().to_owned());
        assert_eq!(found, None, "{about}: {text}");
    }
}
