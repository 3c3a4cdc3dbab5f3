//! The README and `docs/`: commands run, files can be read, flags exist, links lead somewhere.
//!
//! The words after the language of a fence say how its commands are played:
//!
//! ````markdown
//! ```sh mutant=latin1-payload exit=1
//! sseproof check http://127.0.0.1:8080/events --record all.jsonl
//! ```
//!
//! <!-- not run: needs a certificate -->
//! ```sh not-run
//! sseproof check https://localhost:8443/events --ca ca.pem
//! ```
//! ````
//!
//! `KEY=VALUE` is a flag of the `sseproof serve` that stands in place of every URL, `exit` the exit code
//! of each check. The commands of a block share a folder, which has the YAML blocks of the page.
//! Of what is `not-run`, the arguments must still be right.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use regex::Regex;

use crate::program::{Folder, Ran, finish, free_address, read, serve, sseproof};

static PLACE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b(https?|ws)://[^/\s]+").unwrap());
static SPAN: LazyLock<Regex> = LazyLock::new(|| Regex::new("`([^`]+)`").unwrap());
static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").unwrap());

/// A check that plays all probes takes long, and these tests are about flags and files.
const QUICK: [&str; 2] = ["--only", "response/http10"];
/// For the servers that a fence names: of every profile, and broken by a mutant.
const OF_STREAMS: [&str; 2] = ["--only", "stream/utf8"];

struct Page {
    path: PathBuf,
    blocks: Vec<Block>,
    prose: String,
}

struct Block {
    /// The page and the line, for messages.
    place: String,
    language: String,
    is_run: bool,
    exit: i32,
    serve: Vec<String>,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn pages() -> Vec<Page> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    [root().join("README.md")].into_iter().chain(docs).map(page).collect()
}

fn page(path: PathBuf) -> Page {
    let text = read(&path);
    let (mut blocks, mut prose) = (Vec::new(), String::new());
    let mut lines = text.lines().enumerate();
    let mut before = "";
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let place = format!("{}:{}", path.display(), number + 1);
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let mut block = Block {
                text: inside.map(|line| format!("{line}\n")).collect(),
                place,
                language: String::new(),
                is_run: true,
                exit: 0,
                serve: Vec::new(),
            };
            block.configure(info);
            let has_reason = before.starts_with("<!-- not run: ");
            assert_eq!(block.is_run, !has_reason, "{}: `not-run` needs a reason", block.place);
            blocks.push(block);
        } else {
            prose.push_str(line);
            prose.push('\n');
            before = line;
        }
    }
    Page { path, blocks, prose }
}

impl Block {
    fn configure(&mut self, info: &str) {
        let mut words = info.split_whitespace();
        words.next().unwrap_or_default().clone_into(&mut self.language);
        for word in words {
            match word.split_once('=') {
                None if word == "not-run" => self.is_run = false,
                Some(("exit", code)) => self.exit = code.parse().unwrap(),
                Some((flag, value)) => {
                    self.serve.extend([format!("--{flag}"), value.to_owned()]);
                }
                None => panic!("{}: unknown word `{word}`", self.place),
            }
        }
    }

    /// The lines that are commands of the program, also in the file of a CI system.
    fn commands(&self) -> Vec<String> {
        let whole = self.text.replace("\\\n", " ");
        let lines = whole.lines().map(|line| {
            let line = line.trim_start().trim_start_matches("$ ").trim_start_matches("- ");
            line.trim_start_matches("run: ").to_owned()
        });
        lines.filter(|line| line.starts_with("sseproof ")).collect()
    }
}

/// The arguments after the name of the program, and the file after `>`.
fn words(command: &str) -> (Vec<String>, Option<String>) {
    let mut words = shlex::split(command).unwrap_or_else(|| panic!("quotes in {command}"));
    words.remove(0);
    let file = words.iter().position(|word| word == ">").map(|at| words.split_off(at).remove(1));
    (words, file)
}

fn ran(mut command: Command) -> Ran {
    finish(command.spawn().unwrap())
}

fn program(words: &[String]) -> Command {
    sseproof(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The words without those after `--`, and with more of them.
fn with(words: &[String], more: &[&str]) -> Vec<String> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let more = more.iter().map(|word| (*word).to_owned());
    words[..end].iter().cloned().chain(more).chain(words[end..].iter().cloned()).collect()
}

/// `--help` at the end shows the help only if all arguments before it are right.
fn parses(place: &str, command: &str) {
    let ran = ran(program(&with(&words(command).0, &["--help"])));
    assert_eq!(ran.code, Some(0), "{place}: `{command}`: {}", ran.err);
}

fn play(block: &Block, files: &[(String, String)]) {
    let folder = Folder::new();
    fs::create_dir(folder.path("docs")).unwrap();
    fs::copy(root().join("docs/failed-check.jsonl"), folder.path("docs/failed-check.jsonl"))
        .unwrap();
    for (name, text) in files {
        folder.write(name, text);
    }
    let arguments: Vec<_> = block.serve.iter().map(String::as_str).collect();
    let server = PLACE.is_match(&block.text).then(|| serve(&arguments));
    let url = server.as_ref().map(|server| &*server.url);
    for command in block.commands() {
        let ran = run(block, &command, url, &folder);
        if let Some(ran) = ran.filter(|_| block.language == "console") {
            assert!(block.text.contains(&format!("$ {command}\n{}", ran.out)), "{ran:#?}");
        }
    }
}

/// Nothing for a command that takes long without anything to reach: its arguments were read.
fn run(block: &Block, command: &str, url: Option<&str>, folder: &Folder) -> Option<Ran> {
    let (mut words, file) = words(command);
    let has = |flag: &str| words.iter().any(|word| word == flag);
    let is_brief = ["--only", "--replay", "--no-probes"].into_iter().any(has);
    let reaches = words.iter().any(|word| word.contains("://") || word.ends_with(".yaml"));
    let mut host = url.and_then(|url| url.split('/').nth(2)).unwrap_or_default().to_owned();
    let mut exit = 0;
    match &*words[0] {
        "serve" => {
            let words: Vec<_> = words[1..].iter().map(|word| in_folder(folder, word)).collect();
            let server = serve(&words.iter().map(String::as_str).collect::<Vec<_>>());
            assert!(server.url.starts_with("http://"), "{}: {command}", block.place);
            return None;
        }
        "load" if reaches => (host, exit) = (free_address().to_string(), 3),
        // A check of every rule, twice; `init` has its own tests.
        "load" | "init" => return None,
        "check" => {
            exit = block.exit;
            let quick = if block.serve.is_empty() { QUICK } else { OF_STREAMS };
            words = if is_brief { words } else { with(&words, &quick) };
        }
        "check-client" => {
            exit = block.exit;
            // An adapter that is this program.
            let names = words.iter_mut().filter(|word| *word == "sseproof");
            names.for_each(|word| env!("CARGO_BIN_EXE_sseproof").clone_into(word));
        }
        "check-parser" => words = with(&words, &["--streams", "10"]),
        _ => {}
    }
    for word in &mut words {
        *word = PLACE.replace_all(word, format!("$1://{host}")).into_owned();
    }
    let mut program = program(&words);
    program.current_dir(folder.path("")).env_remove("TOKEN");
    let ran = ran(program);
    assert_eq!(ran.code, Some(exit), "{}: `{command}`: {ran:#?}", block.place);
    if let Some(file) = file {
        folder.write(&file, &ran.out);
    }
    Some(ran)
}

/// `sseproof serve` of these tests runs in the folder of the crate.
fn in_folder(folder: &Folder, word: &str) -> String {
    if folder.path(word).is_file() { folder.name(word) } else { word.to_owned() }
}

/// The YAML blocks of a page, by the name in their first line; nothing listens on their URLs.
fn files(page: &Page) -> Vec<(String, String)> {
    let yaml = |block: &&Block| block.language == "yaml" && block.is_run;
    let host = free_address().to_string();
    let named = page.blocks.iter().filter(yaml).enumerate().map(|(index, block)| {
        let name = block.text.lines().next().unwrap_or_default().trim_start_matches("# ");
        let is_name = name.ends_with(".yaml") && !name.contains(' ');
        let name = if is_name { name.to_owned() } else { format!("block-{index}.yaml") };
        (name, PLACE.replace_all(&block.text, format!("$1://{host}")).into_owned())
    });
    named.collect()
}

#[test]
fn each_command_of_a_page_runs() {
    let pages = pages();
    thread::scope(|scope| {
        for page in &pages {
            let files = files(page);
            for block in &page.blocks {
                let files = files.clone();
                scope.spawn(move || {
                    block.commands().iter().for_each(|command| parses(&block.place, command));
                    match &*block.language {
                        "sh" | "console" if block.is_run => play(block, &files),
                        "sh" | "yaml" => {}
                        other => panic!("{}: a block of the language `{other}`", block.place),
                    }
                });
            }
        }
    });
    let commands: usize =
        pages.iter().flat_map(|page| &page.blocks).map(|block| block.commands().len()).sum();
    assert!(commands > 40, "{commands}");
}

#[test]
fn each_file_of_a_page_can_be_read() {
    let mut count = 0;
    for page in pages() {
        let folder = Folder::new();
        for (name, text) in files(&page) {
            folder.write(&name, &text);
            let mut lint = sseproof(&["lint", &name]);
            lint.current_dir(folder.path(""));
            let ran = ran(lint);
            assert_eq!(ran.code, Some(0), "{}: {name}: {ran:#?}", page.path.display());
            count += 1;
        }
    }
    assert!(count > 3, "{count}");
}

/// The commands and flags between backquotes.
#[test]
fn each_flag_of_a_sentence_exists() {
    let all = [
        "check",
        "load",
        "init",
        "serve",
        "check-client",
        "check-parser",
        "scrub",
        "merge",
        "diff",
        "list",
    ];
    let help: String = all.map(|name| ran(sseproof(&[name, "--help"])).out).concat();
    let is_flag = |word: &str| {
        let flag = Regex::new(&format!(r"(?m)(?:^ +|, ){}\b", regex::escape(word))).unwrap();
        flag.is_match(&help)
    };
    let mut count = 0;
    for page in pages() {
        let place = page.path.display().to_string();
        for span in SPAN.captures_iter(&page.prose).map(|found| found[1].to_owned()) {
            if span.starts_with("sseproof ") {
                parses(&place, &span);
                count += 1;
            } else if span.starts_with('-') && span.len() > 1 {
                let word = span.split_whitespace().next().unwrap();
                assert!(is_flag(word), "{place}: no command has the flag {word}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn each_link_of_a_page_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        let folder = page.path.parent().unwrap();
        for link in LINK.captures_iter(&page.prose).map(|found| found[1].to_owned()) {
            if link.contains("://") {
                continue;
            }
            let (file, part) = link.split_once('#').unwrap_or((&link, ""));
            let path = if file.is_empty() { page.path.clone() } else { folder.join(file) };
            assert!(path.exists(), "{}: {link}", page.path.display());
            let is_there = part.is_empty() || read(&path).lines().any(|line| anchor(line) == part);
            assert!(is_there, "{}: {link}", page.path.display());
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// The name that GitHub gives to a heading.
fn anchor(line: &str) -> String {
    let Some(heading) = line.strip_prefix('#') else { return String::new() };
    let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    heading.chars().filter(|char| char.is_alphanumeric() || matches!(char, '-' | '_')).collect()
}
