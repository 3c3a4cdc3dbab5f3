//! The mutants of the profiles of models, each read with the official client library: whether the
//! fault of a `must` breaks it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::{Value, json};
use sseproof_http::Answer;
use sseproof_net::Lab;
use sseproof_rules::{Level, Mutant, Profile, Rule, profile};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::root;

/// The profiles whose protocol has an official client library.
const PROFILES: [&str; 3] = ["openai-chat", "openai-responses", "anthropic-messages"];
/// The script that reads, and the packages that it needs.
const CLIENTS: &str = "scenarios/profile-clients";
/// The mutants of a `must` that the libraries do not notice, and why the level stays.
const KNOWN: &str = "scenarios/profile-clients/unnoticed.yaml";
const REPORT: &str = "reports/profiles.md";
/// The maximum length of an exception in the report.
const SHOWN: usize = 90;

/// The maximum number of members in a cell.
const NAMED: usize = 3;

/// The members that a program sees of one response.
type Members = BTreeMap<String, Value>;

/// One response, as one way to read it shows it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    ask: String,
    way: String,
    seen: Members,
}

/// A mutant, and what the library made of each response of it.
struct Tested {
    rule: &'static Rule,
    mutant: &'static Mutant,
    outcomes: BTreeMap<String, Outcome>,
}

/// The difference from the reference in one way to read.
#[derive(Default)]
struct Outcome {
    exceptions: BTreeSet<String>,
    /// The members that only the reference has.
    lost: BTreeSet<String>,
    /// The other members that differ.
    changed: BTreeSet<String>,
}

pub(crate) fn run(required: bool) -> anyhow::Result<()> {
    let python = match install() {
        Ok(python) => python,
        Err(error) if required => return Err(error),
        Err(error) => {
            eprintln!("SKIPPED: {error:#}, so no official client has read the profiles.");
            eprintln!("Install Python with venv, and make PyPI reachable.");
            return Ok(());
        }
    };
    let known: BTreeMap<String, String> = serde_yaml::from_str(
        &fs::read_to_string(root().join(KNOWN)).with_context(|| format!("read {KNOWN}"))?,
    )
    .map_err(|error| anyhow::anyhow!("{KNOWN}: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let (versions, tested) = runtime.context("start a runtime")?.block_on(read_all(&python))?;
    fs::write(root().join(REPORT), page(&versions, &tested, &known)).context("write the report")?;
    println!("wrote {REPORT}");
    let unnoticed: BTreeSet<&str> = unnoticed(&tested).map(|tested| tested.mutant.id).collect();
    let expected: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    for mutant in unnoticed.difference(&expected) {
        println!("{mutant} breaks a must, and nothing happens in the official client");
    }
    for mutant in expected.difference(&unnoticed) {
        println!("{mutant} is in {KNOWN}, but the official client notices it");
    }
    if unnoticed != expected {
        bail!("the results are not what {KNOWN} expects");
    }
    Ok(())
}

/// Installs the packages, and returns the Python that has them.
fn install() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/profile-clients");
    crate::peers::copy(&root().join(CLIENTS), &folder)?;
    crate::run(&folder, &["python3", "-m", "venv", ".venv"])?;
    let pip = [".venv/bin/pip", "install", "--quiet", "--disable-pip-version-check"];
    crate::run(&folder, &[&pip[..], &["-r", "requirements.txt"]].concat())?;
    Ok(folder.join(".venv/bin/python"))
}

/// The versions of the packages, and the mutants.
async fn read_all(python: &Path) -> anyhow::Result<(String, Vec<Tested>)> {
    let mut servers = Vec::new();
    for profile in PROFILES.iter().filter_map(|id| profile(id)) {
        servers.push((profile, None, profile.answer));
        for rule in profile.rules {
            let own = rule.mutants.iter();
            servers.extend(own.map(|mutant| (profile, Some((*rule, mutant)), mutant.serve)));
        }
    }
    let mut asked = String::new();
    for (profile, _, answer) in &servers {
        let url = serve(*answer).await?;
        asked.push_str(&format!("{}\n", json!({ "profile": profile.id, "url": url })));
    }
    println!("the official clients read {} servers …", servers.len());
    let mut reader = tokio::process::Command::new(python)
        .arg("read.py")
        .current_dir(root().join("target/profile-clients"))
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("start read.py")?;
    let mut input = reader.stdin.take().context("open the input of read.py")?;
    input.write_all(asked.as_bytes()).await.context("write to read.py")?;
    drop(input);
    let output = reader.wait_with_output().await.context("wait for read.py")?;
    if !output.status.success() {
        bail!("read.py ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout).context("read the output of read.py")?;
    let (versions, results) = text.split_once('\n').context("read.py wrote nothing")?;
    let versions: Vec<[String; 2]> = serde_json::from_str(versions).context("read its versions")?;
    let results = results.lines().map(serde_json::from_str::<Vec<Read>>);
    let results: Vec<_> = results.collect::<Result<_, _>>().context("read its results")?;
    let mut tested = Vec::new();
    let mut reference = &Vec::new();
    for ((_, broken, _), result) in servers.iter().zip(&results) {
        match broken {
            None => reference = result,
            Some((rule, mutant)) => {
                tested.push(Tested { rule, mutant, outcomes: compare(reference, result) });
            }
        }
    }
    let versions: Vec<_> = versions.iter().map(|[name, of]| format!("{name} {of}")).collect();
    Ok((versions.join(" and "), tested))
}

/// Serves the responses until the runtime ends, and returns the URL.
async fn serve(answer: Answer) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen on 127.0.0.1")?;
    let address = listener.local_addr().context("read the port")?;
    tokio::spawn(async move { Lab::new(answer).listen(listener).await });
    Ok(format!("http://{address}"))
}

/// The outcome of each way to read.
fn compare(reference: &[Read], result: &[Read]) -> BTreeMap<String, Outcome> {
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    for (right, read) in reference.iter().zip(result) {
        debug_assert_eq!((&right.ask, &right.way), (&read.ask, &read.way));
        let outcome = outcomes.entry(read.way.clone()).or_default();
        match (right.seen.get("exception"), read.seen.get("exception")) {
            (right, Some(now)) if right != Some(now) => {
                outcome.exceptions.insert(now.as_str().unwrap_or_default().to_owned());
            }
            (Some(_), None) => {
                outcome.exceptions.insert(format!("no exception for `{}`", read.ask));
            }
            _ => {
                let names: BTreeSet<_> = right.seen.keys().chain(read.seen.keys()).collect();
                for name in names {
                    let (right, now) = (right.seen.get(name), read.seen.get(name));
                    if right == now {
                        continue;
                    }
                    let is_lost = now.is_none_or(Value::is_null);
                    let place = if is_lost { &mut outcome.lost } else { &mut outcome.changed };
                    place.insert(name.clone());
                }
            }
        }
    }
    outcomes
}

impl Outcome {
    fn is_nothing(&self) -> bool {
        self.exceptions.is_empty() && self.lost.is_empty() && self.changed.is_empty()
    }

    /// For a cell of a table.
    fn shown(&self) -> String {
        if let Some(exception) = self.exceptions.first() {
            let line = exception.lines().next().unwrap_or_default().replace('|', "\\|");
            let short: String = line.chars().take(SHOWN).collect();
            let more = if short == line { "" } else { "…" };
            return format!("**{}**{more}", short.trim_end_matches([':', ' ']));
        }
        let named = |word: &str, members: &BTreeSet<String>| {
            let mut names: Vec<_> = members.iter().take(NAMED).map(String::as_str).collect();
            let more = format!("{} more", members.len().saturating_sub(NAMED));
            names.extend((members.len() > NAMED).then_some(&*more));
            (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
        };
        let all = [named("lost", &self.lost), named("other", &self.changed)];
        let all: Vec<_> = all.into_iter().flatten().collect();
        if all.is_empty() { "–".to_owned() } else { all.join("; ") }
    }
}

fn unnoticed(tested: &[Tested]) -> impl Iterator<Item = &Tested> {
    tested.iter().filter(|tested| {
        let is_must = tested.rule.requirement().level == Level::Must;
        is_must && tested.outcomes.values().all(Outcome::is_nothing)
    })
}

fn page(versions: &str, tested: &[Tested], known: &BTreeMap<String, String>) -> String {
    let mut out = format!(
        "# The profiles of models and the official clients\n\nMade by `cargo xtask profiles` with {versions} for Python.\nEach mutant is served, and read as programs do: event by event (`stream=True`), with the helper that joins the events (`.stream()`), and, for Anthropic, with the tool runner.\nA cell has the first exception, or the members that are lost or other than with the reference; – means that nothing differs.\nA rule is a `must` if its fault breaks the client or loses content there.\n"
    );
    for profile in PROFILES.iter().filter_map(|id| profile(id)) {
        let own: Vec<_> = tested.iter().filter(|tested| profile.adds(tested.rule)).collect();
        out.push_str(&table(profile, &own));
    }
    out.push_str("\n## A must without a difference\n\nThe level stays, for these reasons.\n\n");
    for tested in unnoticed(tested) {
        let id = tested.mutant.id;
        let why = known.get(id).map_or("Not explained yet.", String::as_str);
        out.push_str(&format!("- `{id}` ({}): {why}\n", tested.rule.id));
    }
    out
}

fn table(profile: &Profile, tested: &[&Tested]) -> String {
    let ways: BTreeSet<_> = tested.iter().flat_map(|tested| tested.outcomes.keys()).collect();
    let title = |way: &str| match way {
        "each" => "event by event",
        "joined" => "joined by the helper",
        _ => "run by the tool runner",
    };
    let mut out = format!("\n## {}\n\n| rule | level | mutant |", profile.id);
    out.extend(ways.iter().map(|way| format!(" {} |", title(way))));
    out.push_str("\n|---|---|---|");
    out.extend(ways.iter().map(|_| "---|"));
    out.push('\n');
    for Tested { rule, mutant, outcomes } in tested {
        let (_, name) = rule.id.split_once('/').unwrap_or_default();
        let level = rule.requirement().level.word();
        out.push_str(&format!("| `{name}` | {level} | `{}`: {} |", mutant.id, mutant.wrong));
        out.extend(outcomes.values().map(|outcome| format!(" {} |", outcome.shown())));
        out.push('\n');
    }
    out
}
