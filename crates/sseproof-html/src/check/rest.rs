//! The rules that did not fail: inconclusive, known, skipped, passed; and entries that are errors.

use maud::{Markup, html};
use sseproof_report::{Judged, KnownResult, Report, Standing, by_note};

use super::of_standing;
use crate::document::{Mark, Section, scroll};
use crate::quoted::{line, prose};

pub(super) fn sections(report: &Report) -> Vec<Section> {
    let known = |found: &[&Judged]| {
        rows(found, |one| {
            let entry = report.known_entry(&one.rule).map(KnownResult::acceptance);
            match entry.filter(|words| !words.is_empty()) {
                None => one.headline(),
                Some(acceptance) => format!("{} ({acceptance})", one.headline()),
            }
        })
    };
    let note = |found: &[&Judged]| rows(found, |one| one.note.clone());
    let passed = |found: &[&Judged]| {
        html! { details.many { summary { "All rules that passed" } (note(found)) } }
    };
    let all = [
        entries(report),
        of_standing(
            report,
            Standing::Inconclusive,
            ("inconclusive", "Inconclusive", "inconclusive"),
            note,
        ),
        of_standing(report, Standing::Known, ("known", "Known to fail", "known"), known),
        of_standing(report, Standing::Skipped, ("skipped", "Skipped", "skipped"), skipped),
        of_standing(report, Standing::Held, ("passed", "Passed", "passed"), passed),
    ];
    all.into_iter().flatten().collect()
}

/// The rules by the reason, which names the line to add.
fn skipped(found: &[&Judged]) -> Markup {
    let mut groups = by_note(found);
    // First those that the reader can change.
    groups.sort_by_key(|(why, _)| !why.split_whitespace().any(|word| word.starts_with("--")));
    html! {
        (scroll("Skipped rules", &html! { table {
            thead { tr { th scope="col" { "Reason, and what to add" } th scope="col" { "Rules" } } }
            tbody { @for (why, rules) in groups {
                tr.filtered {
                    th scope="row" { @if why.is_empty() { "no reason given" } @else { (prose(why)) } }
                    td { @for (index, one) in rules.iter().enumerate() {
                        @if index > 0 { ", " }
                        code { (line(&one.rule)) }
                    } }
                }
            } }
        } }))
    }
}

fn rows(found: &[&Judged], note: impl Fn(&Judged) -> String) -> Markup {
    html! {
        (scroll("Rules", &html! { table.sorted {
            thead { tr {
                th scope="col" { "Rule" } th scope="col" { "Level" } th scope="col" { "Evidence" }
            } }
            tbody { @for one in found {
                tr.filtered {
                    th scope="row" { code { (line(&one.rule)) } }
                    td { (line(&one.level_words())) }
                    td { (prose(&note(one))) }
                }
            } }
        } }))
    }
}

/// The entries of the list of known failures that are errors.
fn entries(report: &Report) -> Option<Section> {
    let stale = report.known.iter().filter(|entry| entry.stale);
    let stale = stale.map(|entry| {
        let text = "The rules of this entry pass now. It would hide their next failure: remove it from the list of known failures.";
        (entry, text.to_owned())
    });
    let wrong: Vec<_> = stale.chain(report.over()).collect();
    (!wrong.is_empty()).then(|| Section {
        id: "entries",
        title: "Known failures that are errors".to_owned(),
        short: String::new(),
        body: html! {
            ul.plain { @for (entry, text) in wrong {
                li {
                    (Mark::Bad) " " code { (line(&entry.glob)) } ": " (line(&text))
                    @if !entry.reason.is_empty() { " Reason: " (line(&entry.reason)) }
                }
            } }
        },
    })
}
