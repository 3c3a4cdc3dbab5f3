//! How long a check takes, with the probes one after the other and side by side.
//!
//! Both in one run on the same machine, one server at a time; the verdicts must be the same.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_report::Report;
use sseproof_units::duration;

use crate::{peers, root};

const REPORT: &str = "reports/check-time.md";
/// The name of the embedded server in the table.
const EMBEDDED: &str = "the embedded server";
const OPTIONS: [&[&str]; 4] =
    [&["--one-by-one"], &[], &["--quick"], &["--only", "response/accept"]];
/// The names of these in the summary.
const NAMES: [&str; 4] = ["one by one", "side by side", "`--quick`", "`--only` one rule"];
/// The first heading of the part of the report that is written by hand.
const BY_HAND: &str = "\n## Where the time goes\n";
/// Only of the embedded server, since it takes more than a minute.
const IDLE: &[&str] = &["--idle"];

/// The checks of one server, in the order of [`OPTIONS`].
struct Timed {
    server: String,
    reports: Vec<Report>,
}

pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    peers::build()?;
    let mut all = vec![Timed {
        server: EMBEDDED.to_owned(),
        reports: OPTIONS
            .iter()
            .map(|options| peers::embedded(options))
            .collect::<Result<_, _>>()?,
    }];
    for peer in peers::installed(names)? {
        println!("== {}", peer.name());
        let check = |options: &&[&str]| peers::again(&peer, options);
        let reports = OPTIONS.iter().map(check).collect::<Result<_, _>>();
        let reports = reports.with_context(|| format!("check {}", peer.name()))?;
        all.push(Timed { server: peer.name().to_owned(), reports });
    }
    let idle = Duration::from_millis(peers::embedded(IDLE)?.duration_ms);
    let page = page(&all, idle);
    print!("{page}");
    if names.is_empty() {
        let path = root().join(REPORT);
        let earlier = fs::read_to_string(&path).unwrap_or_default();
        let by_hand = earlier.find(BY_HAND).map_or("", |start| &earlier[start..]);
        fs::write(path, page + by_hand).with_context(|| format!("write {REPORT}"))?;
    }
    let differ = all.iter().filter(|timed| !timed.differences().is_empty()).count();
    if differ > 0 {
        bail!("{differ} servers have other verdicts side by side");
    }
    Ok(())
}

impl Timed {
    fn times(&self) -> impl Iterator<Item = Duration> {
        self.reports.iter().map(|report| Duration::from_millis(report.duration_ms))
    }

    /// The rules whose verdicts differ between the first two checks.
    fn differences(&self) -> Vec<String> {
        let [one_by_one, side_by_side, ..] = &self.reports[..] else { return Vec::new() };
        let other = |rule: &str| {
            let found = side_by_side.findings.iter().find(|finding| finding.rule == rule);
            found.map(|finding| finding.status)
        };
        let differing = one_by_one
            .findings
            .iter()
            .filter(|finding| other(&finding.rule) != Some(finding.status));
        differing
            .map(|finding| {
                let other =
                    other(&finding.rule).map_or("none".to_owned(), |status| format!("{status:?}"));
                format!("`{}` {:?} → {other}", finding.rule, finding.status)
            })
            .collect()
    }
}

fn page(all: &[Timed], idle: Duration) -> String {
    let mut page = "# The time of a check\n\nMade by `cargo xtask check-time`: each server is checked with its probes one after the other (`--one-by-one`), side by side (the default), with `--quick`, and with `--only response/accept`, one server at a time on the same machine.\n\n| server | one by one | side by side | ratio | `--quick` | `--only` one rule | verdicts that differ |\n|---|--:|--:|--:|--:|--:|---|\n".to_owned();
    for timed in all {
        let times: Vec<Duration> = timed.times().collect();
        let [before, after, quick, only] = times[..] else { continue };
        let differ = timed.differences().join(", ");
        // Writing to a string does not fail.
        let _ = writeln!(
            page,
            "| {} | {} | {} | {:.2} | {} | {} | {differ} |",
            timed.server,
            duration(before),
            duration(after),
            after.as_secs_f64() / before.as_secs_f64().max(f64::MIN_POSITIVE),
            duration(quick),
            duration(only)
        );
    }
    let of_peers: Vec<_> = all.iter().skip(1).collect();
    for (index, name) in NAMES.into_iter().enumerate() {
        let mut times: Vec<Duration> =
            of_peers.iter().filter_map(|timed| timed.times().nth(index)).collect();
        times.sort();
        if let (Some(median), Some(max)) = (times.get(times.len() / 2), times.last()) {
            let _ = writeln!(
                page,
                "\nOf {} servers of others, {name}: median {}, max {}.",
                times.len(),
                duration(*median),
                duration(*max)
            );
        }
    }
    let _ = writeln!(page, "\nThe embedded server with `--idle`: {}.", duration(idle));
    page
}
