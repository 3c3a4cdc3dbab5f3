//! The page of a check: verdict, failures, waterfall, and what did not fail.

pub(crate) mod findings;
mod rest;
mod scenarios;
pub(crate) mod waterfall;

use std::time::Duration;

use maud::Markup;
use sseproof_record::Transcript;
use sseproof_report::{Outcome, Report, Standing, Subject, command, summary};
use sseproof_units::{counted, duration, list};

use crate::document::{Document, Mark, Section};
use crate::quoted::line;

/// The page of a check of a server.
///
/// It has no times but those of the transcript, so a recording always gives the same bytes.
pub fn page(report: &Report, transcript: &Transcript) -> String {
    let ends = transcript.exchanges.iter().map(|exchange| exchange.end.at);
    let lasted = ends.max().unwrap_or_default();
    render(report, lasted, waterfall::section(report, transcript))
}

/// The frame of the pages of servers and clients; `timeline` is the section on what happened.
pub(crate) fn render(report: &Report, lasted: Duration, timeline: Option<Section>) -> String {
    let verdict = summary::verdict(report);
    let [target, recorded] = [target(report), recorded(report, lasted)];
    let way = report.way.clone().unwrap_or_default();
    let profile = report.profile.clone().unwrap_or_default();
    let (software, rules) = (list(&report.software), summary::rules(report));
    let times = summary::times(report);
    let again = report.recording.as_deref().map(|file| command::replay(report.subject, file));
    let again = again.unwrap_or_default();
    let facts = [
        (if report.subject == Subject::Client { "client" } else { "server" }, target.as_str()),
        ("served by", if report.software.is_empty() { "" } else { &software }),
        ("connected", &way),
        ("profile", &profile),
        ("rules", &rules),
        ("recorded", &recorded),
        ("median times", &times),
        ("started", &report.started),
        ("judge again", &again),
    ];
    let facts = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    let failures = findings::sections(report);
    let rest = rest::sections(report);
    let sections = failures.into_iter().chain(scenarios::section(report));
    let document = Document {
        mark: mark(report.outcome()),
        verdict,
        subject: &target,
        facts: facts.map(|(label, fact)| (label, line(fact))).collect(),
        sections: sections.chain(timeline).chain(rest).collect(),
        tool: &report.tool,
    };
    document.render()
}

pub(crate) fn mark(outcome: Outcome) -> Mark {
    match outcome {
        Outcome::Held => Mark::Good,
        Outcome::Broken => Mark::Bad,
        Outcome::Unproven => Mark::Warning,
    }
}

fn target(report: &Report) -> String {
    match report.embedded {
        true => format!("{} ({})", summary::embedded(report), report.target),
        false => report.target.clone(),
    }
}

fn recorded(report: &Report, lasted: Duration) -> String {
    let seen = summary::seen(report);
    if lasted.is_zero() { seen } else { format!("{seen} in {}", duration(lasted)) }
}

/// `broken (3)`, as the words of a link.
fn linked(short: &str, count: usize) -> String {
    format!("{short} ({count})")
}

/// The sections of a standing that has findings.
fn of_standing(
    report: &Report,
    standing: Standing,
    (id, title, short): (&'static str, &str, &str),
    body: impl FnOnce(&[&sseproof_report::Judged]) -> Markup,
) -> Option<Section> {
    let found: Vec<_> = report.standing_at(standing).collect();
    let title = format!("{title}: {}", counted(found.len(), "rule"));
    (!found.is_empty()).then(|| Section {
        id,
        title,
        short: linked(short, found.len()),
        body: body(&found),
    })
}
