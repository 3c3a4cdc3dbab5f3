//! The rules that did not fail: passed, skipped, inconclusive, known.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use sseproof_units::{counted, list};

use super::{Detail, Page};
use crate::paint::Ink;
use crate::table::table;
use crate::{Judged, KnownResult, Report, Standing, by_note};

/// How many rules of the rest are named without --verbose.
const NAMED: usize = 4;

/// How many reasons of inconclusive rules are shown without --verbose.
const REASONS: usize = 3;

/// How many rules did not fail: by families if none did, and how more can be checked.
pub(super) fn counts(page: &mut Page, report: &Report) {
    let of = |standing| report.standing_at(standing).collect::<Vec<_>>();
    let (passed, skipped) = (of(Standing::Held), of(Standing::Skipped));
    unclear(page, &of(Standing::Inconclusive));
    let known = of(Standing::Known);
    if !known.is_empty() {
        let text = format!("{}: {}", known.len(), named(&known, NAMED));
        page.labelled(0, "known to fail ", Ink::Warning, Ink::Plain, &text);
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

/// The reasons of inconclusive rules, those of the most binding rules first: the reader may know a way
/// to a verdict. With all details, a list has them.
fn unclear(page: &mut Page, found: &[&Judged]) {
    if page.detail == Detail::Verbose || found.is_empty() {
        return;
    }
    let mut groups = by_note(found);
    let weight = |one: &&Judged| (one.level, one.security.is_none());
    groups.sort_by_key(|(_, rules)| (rules.iter().map(weight).min(), Reverse(rules.len())));
    for (note, rules) in groups.iter().take(REASONS) {
        let text = format!("{}: {note}", named(rules, 1));
        page.labelled(0, "inconclusive: ", Ink::Warning, Ink::Plain, &text);
    }
    let more: usize = groups.iter().skip(REASONS).map(|(_, rules)| rules.len()).sum();
    if more > 0 {
        let text = format!("{} (-v lists them)", counted(more, "more rule"));
        page.labelled(0, "inconclusive: ", Ink::Warning, Ink::Plain, &text);
    }
}

/// So many rules by their names, and the number of the others.
fn named(found: &[&Judged], many: usize) -> String {
    let mut names: Vec<String> = found.iter().take(many).map(|one| one.rule.clone()).collect();
    if found.len() > many {
        names.push(format!("{} more", found.len() - many));
    }
    list(&names)
}

/// The options of the command line with which skipped rules can be asked, as their reasons name them.
fn options(skipped: &[&Judged]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for finding in skipped {
        let bare = |word: &str| word.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned();
        let words: Vec<String> = finding.note.split_whitespace().map(bare).collect();
        let is_flag = |word: &&String| word.starts_with('-') && *word != "--target";
        // The last one is the shortest way, after the key of a target file.
        let Some(at) = words.iter().rposition(|word| is_flag(&word)) else { continue };
        let value = words.get(at + 1).filter(|word| word.parse::<u32>().is_ok());
        let parts = std::iter::once(&words[at]).chain(value);
        let flag = parts.map(String::as_str).collect::<Vec<_>>().join(" ");
        *counts.entry(flag).or_default() += 1;
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
    let found: Vec<_> = report.standing_at(Standing::Skipped).collect();
    let count = found.len();
    if count == 0 {
        return;
    }
    section(page, Ink::Faint, &format!("– skipped ({count})"));
    for (why, rules) in by_note(&found) {
        let rules: Vec<_> = rules.iter().map(|one| one.rule.as_str()).collect();
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
        let note = match entry.map(KnownResult::acceptance).filter(|words| !words.is_empty()) {
            None => one.headline(),
            Some(acceptance) => format!("{} ({acceptance})", one.headline()),
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
