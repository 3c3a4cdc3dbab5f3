//! A report as text for a terminal and for the log of a CI job.
//!
//! Failures come first; passed rules come last, above the summary, as a list of the checks made.

mod failure;
mod page;
mod rest;
mod scenarios;

use crate::paint::Ink;
use crate::summary::{EMBEDDED, summary_lines, verdict};
use crate::{Judged, Outcome, Report, Standing};

pub(crate) use failure::write_recipe;
pub(crate) use page::Page;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub width: usize,
    pub colour: bool,
    pub detail: Detail,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Failures and the summary.
    Quiet,
    /// Also inconclusive, known, skipped and passed rules.
    #[default]
    Normal,
    /// Also every place of a failure, all recipes and links.
    Verbose,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100, colour: false, detail: Detail::Normal }
    }
}

pub fn render(report: &Report, options: &Options) -> String {
    let mut page = Page::new(options);
    head(&mut page, report);
    let quiet = options.detail == Detail::Quiet;
    for finding in report.failed() {
        if quiet && report.standing(finding) != Standing::Broken {
            continue;
        }
        page.gap();
        failure::write(&mut page, report, finding);
    }
    if options.detail > Detail::Quiet {
        rest::inconclusive(&mut page, report);
    }
    rest::known(&mut page, report);
    if options.detail > Detail::Quiet {
        rest::skipped(&mut page, report);
        rest::held(&mut page, report);
    }
    scenarios::write(&mut page, report);
    page.gap();
    summary(&mut page, report);
    page.finish()
}

pub(crate) fn failure_text(report: &Report, finding: &Judged, options: &Options) -> String {
    let mut page = Page::new(options);
    failure::write(&mut page, report, finding);
    page.finish()
}

pub(crate) fn scenario_text(scenario: &crate::ScenarioResult, options: &Options) -> String {
    let mut page = Page::new(options);
    scenarios::one(&mut page, scenario);
    page.finish()
}

fn head(page: &mut Page, report: &Report) {
    let profile = report.profile.as_ref().map(|profile| format!("profile {profile}"));
    let profile = profile.unwrap_or_default();
    let way = report.way.clone().unwrap_or_default();
    let target = match report.embedded {
        true => format!("{EMBEDDED} ({})", report.target),
        false => report.target.clone(),
    };
    let parts = [&report.tool, &target, &way, &profile, &report.started];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).cloned().collect();
    if !parts.is_empty() && page.detail > Detail::Quiet {
        page.text(0, Ink::Faint, &parts.join(" · "));
    }
}

fn summary(page: &mut Page, report: &Report) {
    let (mark, ink) = match report.outcome() {
        Outcome::Held => ("✓ ", Ink::Good),
        Outcome::Broken => ("✗ ", Ink::Bad),
        Outcome::Unproven => ("? ", Ink::Warning),
    };
    page.labelled(0, mark, ink, ink, &verdict(report));
    for (label, text) in summary_lines(report) {
        page.labelled(2, &format!("{label}: "), Ink::Faint, Ink::Plain, &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::example;
    use crate::text::columns;
    use insta::assert_snapshot;

    fn plain(report: &Report, width: usize, detail: Detail) -> String {
        render(report, &Options { width, colour: false, detail })
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
    fn a_broken_run_in_colour() {
        let options = Options { width: 100, colour: true, detail: Detail::Normal };
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
