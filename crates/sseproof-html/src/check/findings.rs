//! The failures: message, place, bytes, effect, fix, and the command that shows each.

use maud::{Markup, html};
use sseproof_report::{Judged, Report, Standing, command};
use sseproof_rules::{Evidence, Level, Recipe};
use sseproof_units::counted;

use super::linked;
use crate::document::{Mark, Section, chip};
use crate::hex::hex;
use crate::quoted::{line, prose, text};

/// How many places of a failure are shown.
const PLACES: usize = 50;
/// How many of them with their bytes.
const BYTES: usize = 8;
/// How many recipes are shown, if none is for the software that answered.
const RECIPES: usize = 3;

pub(super) fn sections(report: &Report) -> Vec<Section> {
    let failed = report.failed();
    let of = |standing: Standing| -> Vec<&Judged> {
        failed.iter().filter(|finding| report.standing(finding) == standing).copied().collect()
    };
    let mut sections = Vec::new();
    let broken = of(Standing::Broken);
    if !broken.is_empty() {
        sections.push(Section {
            id: "broken",
            title: format!("Broken: {}", counted(broken.len(), "rule")),
            short: linked("broken", broken.len()),
            body: html! { @for finding in broken { (failure(report, finding)) } },
        });
    }
    let warned = of(Standing::Warned);
    if !warned.is_empty() {
        let lead = match report.strict {
            true => "Advice is never an error.",
            false => "None of these is an error; with --strict, a should is one.",
        };
        sections.push(Section {
            id: "not-met",
            title: format!("Not met: {}", counted(warned.len(), "rule")),
            short: linked("not met", warned.len()),
            body: html! {
                p.lead { (lead) }
                @for finding in warned { (failure(report, finding)) }
            },
        });
    }
    sections
}

pub(super) fn sign(report: &Report, finding: &Judged) -> Mark {
    match (report.standing(finding), finding.level) {
        (Standing::Warned, Level::Advice) => Mark::Hint,
        (Standing::Warned, _) => Mark::Warning,
        _ => Mark::Bad,
    }
}

/// An error is open; what is only not met is folded.
fn failure(report: &Report, finding: &Judged) -> Markup {
    let mark = sign(report, finding);
    let is_open = report.standing(finding) == Standing::Broken;
    html! {
        details.finding.filtered.(mark.class()) id=(anchor(&finding.rule)) open[is_open] {
            summary {
                h3 { (mark) " " (line(&finding.rule)) }
                " " (chip(mark, &finding.level_words()))
                " " span.message { (prose(&finding.headline())) }
            }
            (source(finding))
            (places(finding))
            (fix(finding))
            (see(report, finding))
        }
    }
}

/// The id of a rule as an anchor. Rules are ours; any other text is none.
pub fn anchor(rule: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    rule.chars().map(|char| if is_plain(char) || char == '/' { char } else { '-' }).collect()
}

/// The requirement, with a link to its source.
fn source(finding: &Judged) -> Markup {
    let is_link = finding.link.starts_with("https://") && !finding.link.contains(['"', ' ', '<']);
    let words = if finding.source.is_empty() { &finding.requirement } else { &finding.source };
    html! {
        @if !finding.title.is_empty() || !words.is_empty() {
            p.source {
                @if !finding.title.is_empty() { "Required: " (prose(&finding.title)) ". " }
                span.faint {
                    @if is_link { a href=(finding.link) rel="noreferrer" { (line(words)) } }
                    @else { (line(words)) }
                    @if let Some(weakness) = &finding.security { " · " (line(weakness)) }
                }
            }
        }
    }
}

/// The places, those of the same message together.
fn places(finding: &Judged) -> Markup {
    let alike =
        |a: &Evidence, b: &Evidence| (&a.message, &a.consequence) == (&b.message, &b.consequence);
    let shown = &finding.evidence[..finding.evidence.len().min(PLACES)];
    let more = finding.evidence.len() - shown.len();
    let groups: Vec<_> = shown.chunk_by(alike).collect();
    let has_own_words =
        !groups.is_empty() && groups.iter().all(|group| group[0].consequence.is_some());
    html! {
        @for (index, group) in groups.iter().enumerate() {
            // The first message stands above.
            @if index > 0 { p.message { (prose(&group[0].message)) } }
            (place(finding, &group[0], index < BYTES))
            @if let Some(consequence) = &group[0].consequence { p { (prose(consequence)) } }
            @if group.len() > 1 {
                details.more {
                    summary { (counted(group.len() - 1, "more place")) " with this fault" }
                    @for evidence in group.iter().skip(1).take(BYTES) {
                        (place(finding, evidence, true))
                    }
                    @if group.len() > BYTES + 1 {
                        ul { @for evidence in group.iter().skip(BYTES + 1) {
                            li { (line(&finding.place(evidence))) }
                        } }
                    }
                }
            }
        }
        @if more > 0 { p.faint { "… and " (counted(more, "more place")) } }
        @if !has_own_words && !finding.why.is_empty() { p { (prose(&finding.why)) } }
    }
}

fn place(finding: &Judged, evidence: &Evidence, with_bytes: bool) -> Markup {
    let is_body = matches!(evidence.place.as_str(), "body" | "decoded body");
    let is_of_client = finding.is_of_clients();
    let excerpt = evidence.excerpt.as_ref().filter(|_| with_bytes);
    html! {
        p.place { (line(&finding.place(evidence))) }
        @if let Some(excerpt) = excerpt { (hex(excerpt, is_body)) }
        @if with_bytes && !evidence.log.is_empty() {
            @if is_of_client { (timeline(evidence)) }
            @else { details.more {
                summary { "On the wire" }
                p.faint { "> sent, < received, * the connection; seconds since the exchange began" }
                pre tabindex="0" { (text(&evidence.log.join("\n"))) }
            } }
        }
    }
}

/// The timeline of the case of a client, with the line of the fault marked.
fn timeline(evidence: &Evidence) -> Markup {
    html! {
        pre tabindex="0" { @for entry in &evidence.log {
            @if entry.starts_with('>') { mark { (line(entry)) } } @else { (line(entry)) }
            "\n"
        } }
    }
}

/// The change to make; first in the software that answered.
fn fix(finding: &Judged) -> Markup {
    let others: Vec<&Recipe> =
        finding.recipes.iter().filter(|recipe| !finding.here.contains(recipe)).collect();
    html! {
        @if !finding.fix.is_empty() || !finding.here.is_empty() || !others.is_empty() {
            div.fix {
                @if !finding.fix.is_empty() { p { strong { "Fix: " } (prose(&finding.fix)) } }
                @for recipe in &finding.here { (written(recipe)) }
                @if finding.here.is_empty() && others.len() <= RECIPES {
                    @for recipe in others { (written(recipe)) }
                } @else if !others.is_empty() {
                    details.more {
                        summary {
                            "With " (others.iter().map(|one| one.with.as_str()).collect::<Vec<_>>().join(", "))
                        }
                        @for recipe in others { (written(recipe)) }
                    }
                }
            }
        }
    }
}

/// The change in one server or library.
pub fn written(recipe: &Recipe) -> Markup {
    html! {
        p.with { (line(&recipe.with)) ":" }
        pre tabindex="0" { (text(recipe.write.trim_end())) }
    }
}

/// The commands: the one that shows the fault, and those for the next check.
fn see(report: &Report, finding: &Judged) -> Markup {
    html! {
        @if let Some(curl) = &finding.curl {
            p.with { "See it:" }
            pre tabindex="0" { (text(curl)) }
        }
        p.with { "After the fix:" }
        pre tabindex="0" { (text(&again(report, finding))) }
    }
}

fn again(report: &Report, finding: &Judged) -> String {
    let only = command::only(&finding.rule);
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_./:=@%+,-".contains(char);
    let target = &report.target;
    match target.contains("://") && target.chars().all(is_plain) {
        true => only.replacen("URL", target, 1),
        false => only,
    }
}
