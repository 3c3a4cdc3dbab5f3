//! One failure: message, place, effect on users, fix.

use std::time::Duration;

use sseproof_rules::{Evidence, Level, Recipe};
use sseproof_units::{duration, list};

use super::{Detail, Page};
use crate::dump::dump;
use crate::paint::Ink;
use crate::{Judged, Report, Standing, command};

/// How many places of a failure are shown without --verbose.
const PLACES: usize = 3;

/// How many recipes, of how many lines each, are shown with a failure.
const RECIPES: usize = 3;
const RECIPE_LINES: usize = 4;

pub(super) fn write(page: &mut Page, report: &Report, finding: &Judged) {
    let (mark, ink) = match (report.standing(finding), finding.level) {
        (Standing::Warned, Level::Advice) => ("·", Ink::Hint),
        (Standing::Warned, _) => ("!", Ink::Warning),
        _ => ("✗", Ink::Bad),
    };
    page.titled(mark, ink, &finding.rule, &finding.standing_line());
    if page.detail == Detail::Verbose && !finding.link.is_empty() {
        page.text(2, Ink::Faint, &finding.link);
    }
    places(page, finding);
    if !finding.fix.is_empty() {
        page.labelled(2, "fix: ", Ink::Good, Ink::Plain, &finding.fix);
    }
    let complete = write_short_recipes(page, &finding.recipes);
    let more = match finding.recipes.len() {
        0 => command::explain(&finding.rule),
        _ if complete => command::explain(&finding.rule),
        _ => {
            let with: Vec<_> = finding.recipes.iter().map(|recipe| recipe.with.clone()).collect();
            format!("{} (how to with {})", command::explain(&finding.rule), list(&with))
        }
    };
    page.labelled(2, "more: ", Ink::Faint, Ink::Plain, &more);
}

/// The places, each with its message; a message and an effect that several places share are shown
/// once.
fn places(page: &mut Page, finding: &Judged) {
    let limit = if page.detail == Detail::Verbose { usize::MAX } else { PLACES };
    let shown = &finding.evidence[..finding.evidence.len().min(limit)];
    if shown.is_empty() {
        page.text(2, Ink::Strong, &finding.headline());
    }
    let alike =
        |a: &Evidence, b: &Evidence| (&a.message, &a.consequence) == (&b.message, &b.consequence);
    for group in shown.chunk_by(alike) {
        page.text(2, Ink::Strong, &group[0].message);
        for (index, evidence) in group.iter().enumerate() {
            page.text(4, Ink::Faint, &where_it_is(evidence));
            // The bytes of the first place stand for the others.
            if index == 0 || page.detail == Detail::Verbose {
                bytes(page, evidence);
            }
            if page.detail == Detail::Verbose {
                log(page, evidence);
            }
        }
        if let Some(consequence) = &group[0].consequence {
            page.text(2, Ink::Plain, consequence);
        }
    }
    let more = finding.evidence.len() - shown.len();
    if more > 0 {
        page.text(2, Ink::Faint, &format!("… and {more} more (--verbose shows all)"));
    }
    let own_words = !shown.is_empty() && shown.iter().all(|one| one.consequence.is_some());
    if !own_words && !finding.why.is_empty() {
        page.text(2, Ink::Plain, &finding.why);
    }
}

fn bytes(page: &mut Page, evidence: &Evidence) {
    if let Some(excerpt) = &evidence.excerpt {
        for line in dump(
            excerpt,
            matches!(evidence.place.as_str(), "body" | "decoded body"),
            page.width.saturating_sub(4),
        ) {
            let ink = if line.contains('▲') { Ink::Warning } else { Ink::Plain };
            page.verbatim(4, ink, &line);
        }
    }
}

fn log(page: &mut Page, evidence: &Evidence) {
    if !evidence.log.is_empty() {
        page.text(4, Ink::Faint, "on the wire (> sent, < received):");
    }
    for line in &evidence.log {
        page.verbatim(6, Ink::Plain, line);
    }
}

/// `exchange 1 (GET /stream, baseline), byte 1042, 3.204 s after the response headers`.
pub(crate) fn where_it_is(evidence: &Evidence) -> String {
    let mut out = format!("exchange {}", evidence.exchange);
    let of = [evidence.request.as_str(), evidence.scenario.as_str()];
    let of: Vec<_> = of.into_iter().filter(|part| !part.is_empty()).collect();
    if !of.is_empty() {
        out.push_str(&format!(" ({})", of.join(", ")));
    }
    let after = duration(Duration::from_micros(evidence.after_us));
    match (evidence.place.as_str(), evidence.offset) {
        ("body", Some(offset)) => {
            out.push_str(&format!(", byte {offset}, {after} after the response headers"))
        }
        (place @ ("decoded body" | "coded body"), Some(offset)) => {
            out.push_str(&format!(
                ", byte {offset} of the {place}, {after} after the response headers"
            ));
        }
        ("wire", Some(offset)) => {
            out.push_str(&format!(", byte {offset} on the wire, after {after}"));
        }
        ("head", _) => out.push_str(", the status line"),
        // The evidence may have no response headers to count from.
        ("exchange", _) => out.push_str(&format!(", after {after}")),
        (place, Some(offset)) => out.push_str(&format!(", {place}, byte {offset}")),
        ("", None) => {}
        (place, None) => out.push_str(&format!(", {place}")),
    }
    out
}

/// Writes the recipes if they are short enough, and returns whether it did.
fn write_short_recipes(page: &mut Page, recipes: &[Recipe]) -> bool {
    let short = recipes.len() <= RECIPES
        && recipes.iter().all(|recipe| recipe.write.lines().count() <= RECIPE_LINES);
    if !short && page.detail < Detail::Verbose {
        return false;
    }
    for recipe in recipes {
        write_recipe(page, recipe);
    }
    true
}

/// A recipe of one line is on the line of its name.
pub(crate) fn write_recipe(page: &mut Page, recipe: &Recipe) {
    let lines: Vec<&str> = recipe.write.trim_end().lines().collect();
    match lines.as_slice() {
        [line] => page.labelled(4, &format!("{}: ", recipe.with), Ink::Faint, Ink::Plain, line),
        lines => {
            page.text(4, Ink::Faint, &format!("{}:", recipe.with));
            for line in lines {
                page.verbatim(6, Ink::Plain, line);
            }
        }
    }
}
