//! One failure: message, place, effect on users, fix.

use sseproof_rules::{Evidence, Excerpt, Level, Recipe};
use sseproof_units::{counted, list};

use super::{Detail, Options, Page};
use crate::dump::dump;
use crate::paint::Ink;
use crate::text::{columns, truncate};
use crate::{Judged, Report, Standing, command};

/// How many different faults of a rule are shown without --verbose; those of one kind are counted.
const KINDS: usize = 1;

/// How many bytes before and after the marked one are shown without --verbose: two lines.
const BEFORE: u64 = 20;
const AFTER: u64 = 12;

/// The same of the lines that tell what happened in a case of a client.
const LINES_BEFORE: usize = 6;
const LINES_AFTER: usize = 3;

/// How many recipes, of how many lines each, are shown with a failure.
const RECIPES: usize = 3;
const RECIPE_LINES: usize = 4;

/// How much of a failure is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// One line: the rule and the message.
    Line,
    /// The message and the fix.
    Brief,
    /// Also the bytes, the effect and the command that shows it.
    Whole,
}

impl Form {
    /// A screen that is too small for it gets a shorter one; a log would only get longer.
    pub(super) fn usual(report: &Report, finding: &Judged, options: &Options) -> Self {
        match (report.standing(finding), finding.level) {
            _ if options.detail == Detail::Verbose => Self::Whole,
            (Standing::Warned, Level::Advice) => Self::Line,
            (Standing::Warned, _) if options.rows.is_none() => Self::Brief,
            _ => Self::Whole,
        }
    }

    pub(super) fn shorter(self) -> Self {
        if self == Self::Whole { Self::Brief } else { Self::Line }
    }
}

fn mark(report: &Report, finding: &Judged) -> (&'static str, Ink) {
    match (report.standing(finding), finding.level) {
        (Standing::Warned, Level::Advice) => ("·", Ink::Hint),
        (Standing::Warned, _) => ("!", Ink::Warning),
        _ => ("✗", Ink::Bad),
    }
}

/// `· response/no-transform (advice): Cache-Control has no …`
pub(super) fn line(page: &mut Page, report: &Report, finding: &Judged) {
    let ((mark, ink), text) = (mark(report, finding), message(finding));
    let room = page.width.saturating_sub(columns(mark) + 1);
    page.verbatim_labelled(&format!("{mark} "), ink, &truncate(&text, room));
}

/// Without evidence, reason and command.
pub(super) fn brief(page: &mut Page, report: &Report, finding: &Judged) {
    let (mark, ink) = mark(report, finding);
    page.labelled(0, &format!("{mark} "), ink, Ink::Strong, &message(finding));
    fix(page, finding);
}

fn message(finding: &Judged) -> String {
    format!("{} ({}): {}", finding.rule, finding.level_words(), finding.headline())
}

pub(super) fn whole(page: &mut Page, report: &Report, finding: &Judged) {
    title(page, report, finding);
    if page.detail == Detail::Verbose && !finding.link.is_empty() {
        page.text(2, Ink::Faint, &finding.link);
    }
    places(page, finding);
    fix(page, finding);
    if let Some(curl) = &finding.curl {
        // In one piece, to be copied.
        page.verbatim_labelled("  see it: ", Ink::Faint, curl);
    }
}

fn title(page: &mut Page, report: &Report, finding: &Judged) {
    let (mark, ink) = mark(report, finding);
    page.titled(mark, ink, &finding.rule, &finding.standing_line());
}

/// The change to make, and how to make it in the software that answered or in others.
fn fix(page: &mut Page, finding: &Judged) {
    if !finding.fix.is_empty() {
        page.labelled(2, "fix: ", Ink::Good, Ink::Plain, &finding.fix);
    }
    let is_verbose = page.detail == Detail::Verbose;
    let others = finding.recipes.iter().filter(|recipe| !finding.here.contains(recipe));
    let others = others.filter(|_| is_verbose || finding.here.is_empty());
    let shown: Vec<&Recipe> = finding.here.iter().chain(others).collect();
    let is_short = |recipe: &&Recipe| recipe.write.lines().count() <= RECIPE_LINES;
    if is_verbose || shown.len() <= RECIPES && shown.iter().all(is_short) {
        shown.iter().for_each(|recipe| write_recipe(page, recipe));
    } else {
        let with: Vec<_> = shown.iter().map(|recipe| recipe.with.clone()).collect();
        let more = format!("{} (how to with {})", command::explain(&finding.rule), list(&with));
        page.labelled(2, "more: ", Ink::Faint, Ink::Plain, &more);
    }
}

/// The places, each with its message; the first place stands for all that share message and effect.
fn places(page: &mut Page, finding: &Judged) {
    let is_verbose = page.detail == Detail::Verbose;
    if finding.evidence.is_empty() {
        page.text(2, Ink::Strong, &finding.headline());
    }
    let alike =
        |a: &Evidence, b: &Evidence| (&a.message, &a.consequence) == (&b.message, &b.consequence);
    let groups: Vec<_> = finding.evidence.chunk_by(alike).collect();
    let shown = if is_verbose { groups.len() } else { groups.len().min(KINDS) };
    for group in &groups[..shown] {
        page.text(2, Ink::Strong, &group[0].message);
        for (index, evidence) in
            group.iter().enumerate().filter(|(index, _)| is_verbose || *index == 0)
        {
            let more = if is_verbose { 0 } else { group.len() - 1 };
            let more = if more > 0 {
                format!(" (and {})", counted(more, "more place"))
            } else {
                String::new()
            };
            page.text(4, Ink::Faint, &format!("{}{more}", finding.place(evidence)));
            // The bytes of the first place stand for the others.
            if index == 0 || is_verbose {
                bytes(page, evidence);
            }
            match finding.is_of_clients() {
                true => timeline(page, evidence),
                false if is_verbose => log(page, evidence),
                false => {}
            }
        }
        if let Some(consequence) = &group[0].consequence {
            page.text(2, Ink::Plain, consequence);
        }
    }
    let more: usize = groups[shown..].iter().map(|group| group.len()).sum();
    if more > 0 {
        page.text(2, Ink::Faint, &format!("… and {} (-v shows all)", counted(more, "more fault")));
    }
    let own_words = shown > 0 && groups[..shown].iter().all(|group| group[0].consequence.is_some());
    if !own_words && !finding.why.is_empty() {
        page.text(2, Ink::Plain, &finding.why);
    }
}

fn bytes(page: &mut Page, evidence: &Evidence) {
    let Some(excerpt) = &evidence.excerpt else { return };
    let is_body = matches!(evidence.place.as_str(), "body" | "decoded body");
    let shown = if page.detail == Detail::Verbose { excerpt.clone() } else { narrow(excerpt) };
    for line in dump(&shown, is_body, page.width.saturating_sub(4)) {
        let ink = if line.contains('▲') { Ink::Warning } else { Ink::Plain };
        page.verbatim(4, ink, &line);
    }
}

/// The bytes next to the mark.
fn narrow(excerpt: &Excerpt) -> Excerpt {
    let end = excerpt.start.saturating_add(excerpt.bytes.len() as u64);
    let from = excerpt.mark.saturating_sub(BEFORE).clamp(excerpt.start, end);
    let to = excerpt.mark.saturating_add(AFTER).clamp(from, end);
    let index =
        |offset: u64| usize::try_from(offset - excerpt.start).unwrap_or(excerpt.bytes.len());
    Excerpt {
        start: from,
        bytes: excerpt.bytes.slice(index(from)..index(to)),
        mark: excerpt.mark,
        at_end: excerpt.at_end && to == end,
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

/// The timeline of the case of a client; without --verbose only the lines around the fault.
fn timeline(page: &mut Page, evidence: &Evidence) {
    let lines = &evidence.log;
    let marked = lines.iter().position(|line| line.starts_with('>')).unwrap_or(lines.len());
    let (from, to) = match page.detail {
        Detail::Verbose => (0, lines.len()),
        _ => (marked.saturating_sub(LINES_BEFORE), (marked + LINES_AFTER).min(lines.len())),
    };
    for line in &lines[from..to] {
        let ink = if line.starts_with('>') { Ink::Warning } else { Ink::Plain };
        page.verbatim(4, ink, &truncate(line, page.width.saturating_sub(4)));
    }
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
