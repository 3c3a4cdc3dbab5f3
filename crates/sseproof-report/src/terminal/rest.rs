//! The rules that did not fail: inconclusive, known, skipped, passed.

use super::Page;
use crate::paint::Ink;
use crate::table::table;
use crate::{Report, Standing};

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

/// Stale entries and those that are over always, since they are errors; known failures only with normal detail.
pub(super) fn known(page: &mut Page, report: &Report) {
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
    if page.detail == super::Detail::Quiet {
        return;
    }
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

fn section(page: &mut Page, ink: Ink, title: &str) {
    page.gap();
    page.text(0, ink, title);
}
