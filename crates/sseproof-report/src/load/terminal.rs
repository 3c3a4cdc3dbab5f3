//! Results of a load as text for a terminal and for the log of a CI job.
//!
//! Failures come first, then doubts about the results, then the results; the verdict is repeated in
//! the last line, where a log is read from.

use sseproof_load_model::threshold::Limit;

use super::facts::{self, Facts};
use super::side::{Side, sides};
use super::{Doubt, JudgedThreshold, LoadReport};
use crate::Outcome as Verdict;
use crate::paint::Ink;
use crate::table::table;
use crate::terminal::{Detail, Options, Page};
use crate::text::columns;

pub fn render(report: &LoadReport, options: &Options) -> String {
    let mut page = Page::new(options);
    let sides = sides(&report.outcomes);
    head(&mut page, report);
    for judged in report.judged.iter().filter(|judged| !judged.judgement.passes()) {
        page.gap();
        unmet(&mut page, judged);
    }
    for doubt in report.doubts() {
        page.gap();
        doubted(&mut page, &doubt);
    }
    if options.detail > Detail::Quiet {
        for side in &sides {
            page.gap();
            one(&mut page, side, sides.len() == 1);
        }
        if sides.len() > 1 {
            page.gap();
            compared(&mut page, &sides);
        }
        met(&mut page, report);
    }
    page.gap();
    let (mark, ink) = match report.verdict() {
        Verdict::Held => ("✓ ", Ink::Good),
        Verdict::Broken => ("✗ ", Ink::Bad),
        Verdict::Unproven => ("? ", Ink::Warning),
    };
    page.labelled(0, mark, ink, ink, &report.verdict_words());
    page.finish()
}

fn head(page: &mut Page, report: &LoadReport) {
    if page.detail == Detail::Quiet {
        return;
    }
    let run = report.outcomes.first().map(|outcome| &outcome.run);
    let (plan, started) = run.map_or(("", ""), |run| (&run.plan, &run.started));
    let parts = [report.tool.as_str(), plan, started];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        page.text(0, Ink::Faint, &parts.join(" · "));
    }
}

fn unmet(page: &mut Page, judged: &JudgedThreshold) {
    let (mark, ink) = if judged.is_crossed() { ("✗", Ink::Bad) } else { ("?", Ink::Warning) };
    let seen = format!("{}{}", judged.of(), judged.seen());
    page.titled(mark, ink, &judged.threshold.to_string(), &seen);
    if let Some(meaning) = facts::meaning(judged) {
        page.text(2, Ink::Faint, &meaning);
    }
}

fn doubted(page: &mut Page, doubt: &Doubt) {
    page.labelled(0, "! ", Ink::Warning, Ink::Warning, &doubt.title);
    for reason in &doubt.reasons {
        page.labelled(2, "- ", Ink::Plain, Ink::Plain, reason);
    }
    page.text(2, Ink::Faint, doubt.meaning);
}

fn one(page: &mut Page, side: &Side<'_>, alone: bool) {
    let url = side.rounds.first().map_or("", |round| &round.run.url);
    let rounds = match side.rounds.len() {
        1 => String::new(),
        rounds => format!(" · {rounds} rounds"),
    };
    let seconds = side.lasting.as_secs_f64();
    page.titled("■", Ink::Hint, &side.name, &format!("{url} · {seconds:.0} s{rounds}"));
    let times = facts::times(side);
    if !times.rows.is_empty() {
        let lines = times.lines(page.width.saturating_sub(2), &facts::SPARE);
        for (at, line) in lines.iter().enumerate() {
            page.verbatim(2, if at == 0 { Ink::Faint } else { Ink::Plain }, line);
        }
    }
    for Facts { label, parts, bad } in facts::facts(side) {
        let label = format!("{label:<13}");
        let both = [bad.as_slice(), parts.as_slice()].concat().join(" · ");
        let ink = if bad.is_empty() { Ink::Plain } else { Ink::Warning };
        page.labelled(2, &label, Ink::Faint, ink, &both);
    }
    let errors = facts::errors(side);
    if !errors.is_empty() {
        let sum: u64 = errors.iter().map(|(_, count, _)| count).sum();
        page.labelled(
            2,
            "errors       ",
            Ink::Faint,
            Ink::Bad,
            &sseproof_units::counted(sum, "error"),
        );
        let rows = errors.into_iter();
        let rows = rows.map(|(key, count, meaning)| [sseproof_units::count(count), key, meaning]);
        let lines = table(rows, 15, page.width);
        page.block(&lines);
    }
    if alone {
        costs(page, side);
    }
    if page.detail > Detail::Normal {
        for why in facts::missing(side) {
            page.labelled(2, "not measured: ", Ink::Faint, Ink::Faint, &why);
        }
    }
}

fn costs(page: &mut Page, side: &Side<'_>) {
    let rows = facts::costs(side);
    if rows.is_empty() {
        return;
    }
    let method = facts::method(side).unwrap_or_default();
    page.labelled(2, "costs        ", Ink::Faint, Ink::Faint, &method);
    let [key, value] = [0, 1].map(|at| rows.iter().map(|row| columns(&row[at])).max().unwrap_or(0));
    for [name, cost, words] in rows {
        let pad = |text: &str, width: usize| " ".repeat(width.saturating_sub(columns(text)));
        let label = format!("{name}{}  {cost}{}  ", pad(&name, key), pad(&cost, value));
        // Side by side if there is room, and below each other if not.
        if columns(&label) + columns(&words) + 4 <= page.width {
            page.verbatim(4, Ink::Plain, &format!("{label}{words}"));
        } else {
            page.verbatim(4, Ink::Plain, &label);
            page.text(6, Ink::Faint, &words);
        }
    }
}

fn compared(page: &mut Page, sides: &[Side<'_>]) {
    page.titled("■", Ink::Hint, "side by side", "");
    let room = page.width.saturating_sub(2);
    let full = facts::comparison(sides, true);
    let grid = if full.width() > room { facts::comparison(sides, false) } else { full };
    let lines = grid.lines(room, &[]);
    for (at, line) in lines.iter().enumerate() {
        page.verbatim(2, if at == 0 { Ink::Faint } else { Ink::Plain }, line);
    }
    if let Some(method) = facts::ratio_method(sides) {
        page.text(2, Ink::Faint, &method);
    }
    for why in facts::gaps(sides) {
        page.labelled(2, "– ", Ink::Faint, Ink::Faint, &why);
    }
    if let Some(method) = sides.first().and_then(facts::method) {
        page.text(2, Ink::Faint, &format!("memory: {method}"));
    }
}

fn met(page: &mut Page, report: &LoadReport) {
    let met = report.judged.iter().filter(|judged| judged.judgement.passes());
    let rows = met.map(|judged| {
        let limit = match judged.threshold.limit {
            Limit::Value(limit) => limit.to_string(),
            Limit::Change(share) => format!("{:+.0}%", share * 100.0),
        };
        let subject = format!("✓ {}{}", judged.of(), judged.threshold.subject);
        [subject, format!("{} (limit {limit})", judged.seen())]
    });
    let lines = table(rows, 0, page.width);
    if !lines.is_empty() {
        page.gap();
        page.block(&lines);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::examples::{
        all, broken, good, hung, over_http2, partial, rounds, saturated, twice, warm,
    };
    use super::*;

    fn plain(report: &LoadReport, detail: Detail) -> String {
        render(report, &Options { width: 100, colour: false, detail })
    }

    #[test]
    fn each_run_is_written_as_expected() {
        use Detail::{Normal, Quiet, Verbose};
        for (name, report, detail) in [
            ("a_good_run", good(), Normal),
            ("a_good_run-2", good(), Quiet),
            ("a_run_that_fails_says_so_first", broken(), Normal),
            ("a_run_that_fails_says_so_first-2", broken(), Verbose),
            ("a_saturated_generator_and_a_missing_part_prove_nothing", saturated(), Quiet),
            ("a_saturated_generator_and_a_missing_part_prove_nothing-2", partial(), Quiet),
            ("streams_that_never_opened_are_counted_first", hung(), Normal),
            ("two_transports_stand_side_by_side", twice(), Normal),
        ] {
            assert_snapshot!(name, plain(&report, detail));
        }
    }

    #[test]
    fn streams_that_share_connections_are_called_so() {
        let mut report = over_http2();
        assert!(plain(&report, Detail::Normal).contains("WebSocket ÷ SSE over HTTP/2"));
        report.outcomes.truncate(1);
        let text = plain(&report, Detail::Normal);
        let (from, to) = (text.find("■").unwrap(), text.find("✓").unwrap());
        assert_snapshot!(&text[from..to]);
    }

    #[test]
    fn clocks_that_differ_are_reported() {
        let mut report = good();
        let mut text_for = |least: i64, most: i64| {
            report.outcomes[0].intervals[0].offset =
                Some(sseproof_load_model::Offset { least, most });
            let text = plain(&report, Detail::Normal);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let ahead = text_for(240_000_000, 260_000_000);
        assert!(ahead.contains("250 ms (± 10 ms) fast"), "{ahead}");
        assert!(text_for(-3_000_000, -1_000_000).contains("2 ms (± 1 ms) slow"));
        assert!(!text_for(-1_000_000, 2_000_000).contains("by the Date"), "no difference is known");
        assert!(!text_for(2_000_000, 1_000_000).contains("by the Date"), "they contradict");
    }

    #[test]
    fn rounds_are_compared_with_an_interval() {
        let text = plain(&rounds(), Detail::Normal);
        let from = text.find("■ side by side").unwrap();
        assert_snapshot!(&text[from..]);
    }

    #[test]
    fn a_server_that_was_not_restarted_is_reported() {
        let text = plain(&warm(), Detail::Normal);
        let from = text.find("– WebSocket").unwrap();
        assert_snapshot!(&text[from..]);
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        assert_snapshot!(plain(&LoadReport::default(), Detail::Normal));
        for report in all() {
            for width in [60, 80, 100] {
                let text =
                    render(&report, &Options { width, colour: true, detail: Detail::Normal });
                let text = anstyle_free(&text);
                for line in text.lines().filter(|line| !line.contains("://")) {
                    assert!(columns(line) <= width, "{width}: {line}");
                }
            }
        }
    }

    fn anstyle_free(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
    }
}
