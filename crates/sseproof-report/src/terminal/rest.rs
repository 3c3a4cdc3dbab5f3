//! The rules that did not fail: passed, skipped, inconclusive, known.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sseproof_units::list;

use super::{Detail, Page};
use crate::paint::Ink;
use crate::table::table;
use crate::{Judged, Report, Standing};

/// How many rules of the rest are named without --verbose.
const NAMED: usize = 4;

/// How many rules did not fail: by families if none did, and how more can be checked.
pub(super) fn counts(page: &mut Page, report: &Report) {
    let of = |standing| report.standing_at(standing).collect::<Vec<_>>();
    let (passed, skipped) = (of(Standing::Held), of(Standing::Skipped));
    let mut line = |ink: Ink, label: &str, text: &str| {
        page.labelled(0, &format!("{label} "), ink, Ink::Plain, text);
    };
    for (label, standing) in
        [("inconclusive", Standing::Inconclusive), ("known to fail", Standing::Known)]
    {
        let found = of(standing);
        if !found.is_empty() {
            line(Ink::Warning, label, &format!("{}: {}", found.len(), named(&found)));
        }
    }
    let lists = if page.detail == Detail::Verbose { "" } else { " (-v lists them)" };
    let mut parts = vec![passed.len().to_string()];
    if report.failed().is_empty() && !passed.is_empty() {
        parts[0].push_str(&format!(": {}", families(&passed)));
    }
    parts.extend((!skipped.is_empty()).then(|| format!("skipped {}", skipped.len())));
    let text = format!("{}{lists}", parts.join("; "));
    page.labelled(0, "passed ", Ink::Good, Ink::Plain, &text);
    let more = options(&skipped);
    if !more.is_empty() {
        page.labelled(0, "more rules with: ", Ink::Faint, Ink::Plain, &more);
    }
}

/// `response 20, stream 25`, in the order of the rules.
fn families(found: &[&Judged]) -> String {
    let parts = found.chunk_by(|a, b| a.family() == b.family());
    let parts = parts.map(|family| format!("{} {}", family[0].family(), family.len()));
    parts.collect::<Vec<_>>().join(", ")
}

fn named(found: &[&Judged]) -> String {
    let mut names: Vec<String> = found.iter().take(NAMED).map(|one| one.rule.clone()).collect();
    if found.len() > NAMED {
        names.push(format!("{} more", found.len() - NAMED));
    }
    list(&names)
}

/// The options of the command line with which skipped rules can be asked, as their reasons name them.
fn options(skipped: &[&Judged]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in skipped {
        // The last one is the shortest way, after the key of a target file.
        let flags = finding.note.split_whitespace().filter(|word| word.starts_with('-'));
        let flags = flags.map(|word| word.trim_end_matches(|char: char| !char.is_alphanumeric()));
        let mut flags = flags.filter(|flag| flag.len() > 1 && *flag != "--target");
        if let Some(flag) = flags.next_back() {
            *counts.entry(flag).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let parts = counts.iter().take(NAMED).map(|(flag, count)| format!("{flag} ({count})"));
    let parts: Vec<_> = parts.collect();
    parts.join(", ")
}

/// Stale entries and those that are over are errors.
pub(super) fn stale(page: &mut Page, report: &Report) {
    for entry in report.known.iter().filter(|entry| entry.stale) {
        page.gap();
        page.titled("✗", Ink::Bad, &entry.glob, "known failure");
        page.text(2, Ink::Strong, "the rules of this entry pass now");
        if !entry.reason.is_empty() {
            page.labelled(4, "reason: ", Ink::Faint, Ink::Plain, &entry.reason);
        }
        page.text(2, Ink::Plain, "It would hide the next failure of these rules.");
        page.labelled(
            2,
            "fix: ",
            Ink::Good,
            Ink::Plain,
            "Remove the entry from the list of known failures.",
        );
    }
    for (entry, over) in report.over() {
        page.gap();
        page.titled("✗", Ink::Bad, &entry.glob, "known failure");
        page.text(2, Ink::Strong, &over);
        if !entry.reason.is_empty() {
            page.labelled(4, "reason: ", Ink::Faint, Ink::Plain, &entry.reason);
        }
    }
}

pub(super) fn held(page: &mut Page, report: &Report) {
    let found: Vec<_> = report.standing_at(Standing::Held).collect();
    if found.is_empty() {
        return;
    }
    section(page, Ink::Good, &format!("✓ passed ({})", found.len()));
    let rows = found.iter().map(|one| [one.rule.clone(), one.level_words(), one.note.clone()]);
    let lines = table(rows, 2, page.width);
    page.block(&lines);
}

/// Skipped rules, grouped by reason.
pub(super) fn skipped(page: &mut Page, report: &Report) {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for finding in report.standing_at(Standing::Skipped) {
        match groups.iter_mut().find(|(why, _)| *why == finding.note) {
            Some((_, rules)) => rules.push(&finding.rule),
            None => groups.push((&finding.note, vec![&finding.rule])),
        }
    }
    let count: usize = groups.iter().map(|(_, rules)| rules.len()).sum();
    if count == 0 {
        return;
    }
    section(page, Ink::Faint, &format!("– skipped ({count})"));
    for (why, rules) in groups {
        let why = if why.is_empty() { "no reason given" } else { why };
        page.labelled(2, "", Ink::Plain, Ink::Plain, &format!("{why}:"));
        page.text(4, Ink::Faint, &rules.join(", "));
    }
}

pub(super) fn inconclusive(page: &mut Page, report: &Report) {
    let found: Vec<_> = report.standing_at(Standing::Inconclusive).collect();
    if found.is_empty() {
        return;
    }
    section(page, Ink::Warning, &format!("? inconclusive ({})", found.len()));
    let rows = found.iter().map(|one| [one.rule.clone(), one.level_words(), one.note.clone()]);
    let lines = table(rows, 2, page.width);
    page.block(&lines);
}

pub(super) fn known(page: &mut Page, report: &Report) {
    let known: Vec<_> = report.standing_at(Standing::Known).collect();
    if known.is_empty() {
        return;
    }
    section(page, Ink::Warning, &format!("~ known to fail ({})", known.len()));
    let rows = known.iter().map(|one| {
        let entry = report.known_entry(&one.rule);
        let reason = entry.map_or("", |entry| entry.reason.as_str());
        let note = match reason {
            "" => one.headline(),
            reason => {
                let until = entry.and_then(|entry| entry.until.as_ref());
                let until = until.map_or_else(String::new, |until| format!("; until {until}"));
                format!("{} ({reason}{until})", one.headline())
            }
        };
        [one.rule.clone(), one.level_words(), note]
    });
    let lines = table(rows, 2, page.width);
    page.block(&lines);
}

fn section(page: &mut Page, ink: Ink, title: &str) {
    page.gap();
    page.text(0, ink, title);
}
