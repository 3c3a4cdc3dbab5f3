//! The HTML pages in a real browser: html-validate, axe-core, and a look at what a page does.
//!
//! Pages are made by the program itself, among them one of a server and one of a client whose text is
//! hostile; of the site, some pages with all that the others have are looked at.
//! `pages/look.js` opens each in Chromium, in both colour schemes, wide and narrow, with and without
//! JavaScript; no request may leave, and no script but that of the page may run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, bail};
use sseproof_site::Kind;

use crate::fuzz::works;
use crate::{browser, measured, root, run as play, site};

/// The packages of npm, with their versions.
const PACKAGES: [&str; 3] = ["html-validate@10.17.0", "axe-core@4.14.1", "playwright-core@1.65.1"];
/// The arguments of each page, whose file is added; `$PROGRAM` is the program.
const PAGES: [(&str, &[&str]); 9] = [
    ("check", &["check", "--replay", "docs/failed-check.jsonl"]),
    ("hostile", &["check", "--replay", "crates/sseproof-html/tests/hostile.jsonl"]),
    ("reference", &["check", "--reference", "--quick"]),
    ("client", &["check-client", "--only", "client/close*"]),
    (
        "client-broken",
        &[
            "check-client",
            "--only",
            "client/redirect-followed",
            "--",
            "$PROGRAM",
            "reference-client",
            "--mutant",
            "knows-no-308",
        ],
    ),
    (
        "load",
        &[
            "load",
            "-c",
            "120",
            "--ramp",
            "2s",
            "--hold",
            "2s",
            "--fail-if",
            "delivery.p50 > 1ns",
            "--json",
            "load.json",
        ],
    ),
    ("diff", &["diff", "load.json", "load.json"]),
    ("parser", &["check-parser", "--streams", "10"]),
    ("parser-silent", &["check-parser", "--streams", "1", "--", "cat", "hostile.txt"]),
];
/// The pages of the site that are opened: those of other groups differ only in their rows.
const SITE: [&str; 4] = ["index.html", "changes.html", "proxies.html", "sse-vs-websocket.html"];
/// The folders of which the largest page is opened.
const FOLDERS: [&str; 3] = ["clients/", "bugs/", "rules/"];
const HOSTILE: &str = "</pre><script>fetch('/leak')</script><img src=x onerror=alert(1)>\u{202e}\n";

pub(crate) fn run(required: bool) -> anyhow::Result<()> {
    let chromium = browser::installed();
    let missing = ["node", "npm"].into_iter().filter(|program| !works(&[program]));
    let missing = missing.chain(chromium.is_none().then_some("Chromium")).collect::<Vec<_>>();
    let Some(chromium) = chromium.filter(|_| missing.is_empty()) else {
        let missing = missing.join(", ");
        if required {
            bail!("missing: {missing}");
        }
        eprintln!("SKIPPED: no page was opened in a browser; missing: {missing}.");
        return Ok(());
    };
    let folder = root().join("target/pages");
    fs::create_dir_all(&folder).context("make target/pages")?;
    // Packages that are there stay as they are.
    let install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "."];
    play(&folder, &[&install[..], &PACKAGES].concat()).context("install from npm")?;
    fs::write(folder.join("hostile.txt"), HOSTILE).context("write hostile.txt")?;
    play(root().as_path(), &[env!("CARGO"), "build", "--quiet", "--package", "sseproof"])?;
    let mut pages: Vec<PathBuf> = PAGES
        .iter()
        .map(|(name, arguments)| made(&folder, name, arguments))
        .collect::<Result<_, _>>()?;
    pages.extend(of_site(&folder)?);
    let script = root().join("crates/xtask/src/pages/look.js");
    let status = Command::new("node")
        .arg(&script)
        .arg(&folder)
        .arg(&chromium)
        .args(&pages)
        .current_dir(&folder)
        .status()
        .context("start node")?;
    if !status.success() {
        bail!("a page is not as it should be");
    }
    Ok(())
}

/// Pages of the site with all that others have, too.
fn of_site(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let site = folder.join("site");
    let mut input = site::input()?;
    // Without earlier results, the page of changes has nothing to show.
    let mut before = input.matrix.clone();
    before.subjects.retain(|one| one.kind != Kind::Parser);
    input.before = Some(before);
    let files = sseproof_site::pages(&input);
    site::write(&site, &files)?;
    let largest = FOLDERS.iter().filter_map(|folder| {
        let of = files.iter().filter(|file| file.path.starts_with(folder));
        of.max_by_key(|file| file.text.len()).map(|file| file.path.as_str())
    });
    Ok(SITE.into_iter().chain(largest).map(|page| site.join(page)).collect())
}

/// Makes the page.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> anyhow::Result<PathBuf> {
    let page = folder.join(format!("{name}.html"));
    let program = measured::program("debug");
    // Files of the repository are named from its root, and others are in the folder.
    let word = |word: &str| match word {
        "$PROGRAM" => program.display().to_string(),
        word if root().join(word).is_file() => root().join(word).display().to_string(),
        word => word.to_owned(),
    };
    let (before, command) = match arguments.iter().position(|word| *word == "--") {
        Some(at) => arguments.split_at(at),
        None => (arguments, &[][..]),
    };
    let output = Command::new(&program)
        .args(before.iter().map(|one| word(one)))
        .arg("--html")
        .arg(&page)
        .args(command.iter().map(|one| word(one)))
        .current_dir(folder)
        .output()
        .with_context(|| format!("make the page {name}"))?;
    // Broken and silent subjects are among them.
    if !matches!(output.status.code(), Some(0 | 1 | 3)) {
        bail!("the page {name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(page)
}
