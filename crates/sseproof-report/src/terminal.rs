//! A report as text for a terminal and for the log of a CI job.
//!
//! Both are read from their end: the verdict is last, the worst failure right above it.
//! On a terminal the page fits the screen, if that is possible: the least important failures are one
//! line then. Passed and skipped rules are only counted, unless all is to be shown.

mod failure;
mod page;
mod rest;
mod scenarios;

use std::cmp::Reverse;

use sseproof_units::list;

use self::failure::Form;
use crate::paint::Ink;
use crate::summary::{embedded, recorded, scenarios, times, verdict};
use crate::text::truncate;
use crate::{Judged, Outcome, Report, Standing, command};

pub use scenarios::{position, remark};

pub(crate) use failure::write_recipe;
pub(crate) use page::Page;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub width: usize,
    /// The lines of the screen; `None` if there is none, as in a log.
    pub rows: Option<usize>,
    pub colour: bool,
    pub detail: Detail,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only what is broken, and the verdict.
    Quiet,
    /// Also what is not met, and counts of the rest.
    #[default]
    Normal,
    /// Also every place of a failure, all recipes and links, and the passed and skipped rules.
    Verbose,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100, rows: None, colour: false, detail: Detail::Normal }
    }
}

pub fn render(report: &Report, options: &Options) -> String {
    let mut page = Page::new(options);
    head(&mut page, report);
    if options.detail == Detail::Verbose {
        rest::held(&mut page, report);
        rest::skipped(&mut page, report);
        rest::inconclusive(&mut page, report);
        rest::known(&mut page, report);
    }
    let mut end = Page::new(options);
    rest::stale(&mut end, report);
    scenarios::write(&mut end, report);
    end.gap();
    summary(&mut end, report);
    // The empty lines before both parts, and the prompt.
    let used = page.rows() + end.rows() + 3;
    page.add(failures(report, options, options.rows.map(|rows| rows.saturating_sub(used))));
    page.add(end);
    page.finish()
}

/// The failures, the worst last, in at most `room` lines if that is possible.
fn failures(report: &Report, options: &Options, room: Option<usize>) -> Page {
    let is_shown = |finding: &&Judged| {
        options.detail > Detail::Quiet || report.standing(finding) == Standing::Broken
    };
    let mut shown: Vec<(&Judged, Form)> = report
        .failed()
        .into_iter()
        .filter(is_shown)
        .map(|finding| (finding, Form::usual(report, finding, options)))
        .collect();
    shown.reverse();
    loop {
        let page = written(report, options, &shown);
        let is_too_long = room.is_some_and(|room| page.rows() > room);
        if !is_too_long || options.detail != Detail::Normal {
            return page;
        }
        // The worst error is shown as it is, and no error is shorter than what is only not met.
        let is_error = |finding: &Judged| report.standing(finding) == Standing::Broken;
        let kept = usize::from(shown.last().is_some_and(|(worst, _)| is_error(worst)));
        let others = shown.len() - kept;
        let next = shown[..others].iter_mut().filter(|(_, form)| *form > Form::Line);
        let order = |(finding, form): &&mut (&Judged, Form)| (is_error(finding), Reverse(*form));
        match next.min_by_key(order) {
            Some((_, form)) => *form = form.shorter(),
            None => return page,
        }
    }
}

fn written(report: &Report, options: &Options, shown: &[(&Judged, Form)]) -> Page {
    let mut page = Page::new(options);
    let mut before = Form::Line;
    for (finding, form) in shown {
        if (before, *form) != (Form::Line, Form::Line) {
            page.gap();
        }
        match form {
            Form::Line => failure::line(&mut page, report, finding),
            Form::Brief => failure::brief(&mut page, report, finding),
            Form::Whole => failure::whole(&mut page, report, finding),
        }
        before = *form;
    }
    page
}

pub(crate) fn failure_text(report: &Report, finding: &Judged, options: &Options) -> String {
    let mut page = Page::new(options);
    failure::whole(&mut page, report, finding);
    page.finish()
}

pub(crate) fn scenario_text(scenario: &crate::ScenarioResult, options: &Options) -> String {
    let mut page = Page::new(options);
    scenarios::one(&mut page, scenario);
    page.finish()
}

/// A failure that was found while the run goes on, in one line.
pub fn found(finding: &Judged, width: usize) -> String {
    truncate(&format!("✗ {}: {}", finding.rule, finding.headline()), width)
}

fn head(page: &mut Page, report: &Report) {
    let profile = report.profile.as_ref().map(|profile| format!("profile {profile}"));
    let profile = profile.unwrap_or_default();
    let way = report.way.clone().unwrap_or_default();
    let target = match report.embedded {
        true => format!("{} ({})", embedded(report), report.target),
        false => report.target.clone(),
    };
    let software = match report.software.as_slice() {
        [] => String::new(),
        software => format!("served by {}", list(software)),
    };
    let started = if page.detail == Detail::Verbose { report.started.as_str() } else { "" };
    let parts = [&*report.tool, &*target, &*software, &*way, &*profile, started];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() && page.detail > Detail::Quiet {
        page.text(0, Ink::Faint, &parts.join(" · "));
    }
}

fn summary(page: &mut Page, report: &Report) {
    if page.detail > Detail::Quiet {
        if !scenarios(report).is_empty() {
            page.labelled(0, "scenarios: ", Ink::Faint, Ink::Plain, &scenarios(report));
        }
        rest::counts(page, report);
        page.labelled(0, "recorded: ", Ink::Faint, Ink::Plain, &recorded(report));
        if page.detail == Detail::Verbose && !times(report).is_empty() {
            page.labelled(0, "median times: ", Ink::Faint, Ink::Plain, &times(report));
        }
        if let Some(file) = &report.recording {
            let again =
                format!("{file} (judge it again: {})", command::replay(report.subject, file));
            page.labelled(0, "recording: ", Ink::Faint, Ink::Plain, &again);
        }
        next(page, report);
    }
    let (mark, ink) = match report.outcome() {
        Outcome::Held => ("✓ ", Ink::Good),
        Outcome::Broken => ("✗ ", Ink::Bad),
        Outcome::Unproven => ("? ", Ink::Warning),
    };
    page.labelled(0, mark, ink, ink, &verdict(report));
}

/// The next commands of a reader, for the worst failure.
fn next(page: &mut Page, report: &Report) {
    let Some(worst) = report.failed().first().copied() else { return };
    let explain = command::explain(&worst.rule);
    let text = format!("{explain} (after the fix, check again with --only {})", worst.rule);
    page.labelled(0, "next: ", Ink::Faint, Ink::Plain, &text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::example;
    use crate::text::columns;
    use insta::assert_snapshot;

    fn plain(report: &Report, width: usize, detail: Detail) -> String {
        render(report, &Options { width, detail, ..Options::default() })
    }

    #[test]
    fn each_report_is_written_as_expected() {
        use Detail::{Normal, Quiet, Verbose};
        for (name, report, width, detail) in [
            ("a_broken_run", example("broken"), 100, Normal),
            ("a_broken_run_in_few_words", example("broken"), 100, Quiet),
            ("a_broken_run_in_many_words", example("broken"), 100, Verbose),
            ("a_broken_run_in_a_narrow_terminal", example("broken"), 60, Normal),
            ("a_run_in_which_all_holds", example("held"), 100, Normal),
            ("a_run_in_which_all_holds-2", example("held"), 100, Quiet),
            ("a_run_of_the_embedded_server", example("embedded"), 100, Normal),
            ("known_failures_with_a_last_day", example("until"), 100, Normal),
            ("a_run_that_ended_early", example("partial"), 100, Normal),
            ("a_should_without_strict_and_with_it", example("quiet_failure"), 100, Normal),
            ("a_should_without_strict_and_with_it-2", example("strict"), 100, Normal),
            ("a_rule_of_another_version", example("unknown"), 100, Verbose),
            ("nothing_at_all_and_any_width", Report::default(), 100, Normal),
        ] {
            let text = plain(&report, width, detail);
            for line in text.lines().filter(|line| width == 60 && !line.contains("://")) {
                assert!(columns(line) <= width, "{line}");
            }
            assert_snapshot!(name, text);
        }
    }

    #[test]
    fn a_page_fits_its_screen_and_shows_the_worst_failure_and_every_rule() {
        for rows in [48, 80] {
            let report = example("broken");
            let options = Options { width: 80, rows: Some(rows), ..Options::default() };
            let text = render(&report, &options);
            assert!(text.lines().count() < rows, "{text}");
            for failure in report.failed() {
                assert!(text.contains(&failure.rule), "{text}");
            }
            assert_snapshot!(format!("a_broken_run_on_a_screen_of_{rows}_lines"), text);
        }
        let small = Options { width: 80, rows: Some(5), ..Options::default() };
        let text = render(&example("broken"), &small);
        assert!(text.contains("an EventSource fails for good"), "the worst one is whole: {text}");
    }

    #[test]
    fn a_failure_that_is_found_early_is_one_line() {
        let report = example("broken");
        let line = found(report.failed()[0], 60);
        assert_eq!(line, "✗ response/media-type: the media type is \"text/html; charse…");
    }

    #[test]
    fn a_broken_run_in_colour() {
        let options = Options { colour: true, ..Options::default() };
        let text = render(&example("broken"), &options);
        assert_snapshot!(text.replace('\x1b', "⎋"));
    }

    #[test]
    fn any_width_is_wide_enough() {
        for width in [0, 1, 10, 79, 500] {
            for detail in [Detail::Quiet, Detail::Normal, Detail::Verbose] {
                plain(&example("broken"), width, detail);
            }
        }
    }

    #[test]
    fn without_colour_there_is_no_escape() {
        assert!(!plain(&example("broken"), 100, Detail::Verbose).contains('\x1b'));
    }
}
