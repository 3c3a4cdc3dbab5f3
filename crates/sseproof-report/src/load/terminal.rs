//! Results of a load as text for a terminal and for the log of a CI job.
//!
//! The verdict comes first, then what stands against the results, then the answer in six rows and a
//! sentence: all of it on a screen of 80 by 40. The other figures follow with `--verbose`.

use sseproof_load_model::Counter;
use sseproof_load_model::threshold::Limit;

use super::facts::{self, Facts};
use super::side::{Side, sides};
use super::{Doubt, JudgedThreshold, LoadReport, sides_compared, summary};
use crate::Outcome as Verdict;
use crate::paint::Ink;
use crate::table::table;
use crate::terminal::{Detail, Options, Page};
use crate::text::columns;

/// How many thresholds that were not crossed are shown each.
const MET: usize = 8;

pub fn render(report: &LoadReport, options: &Options) -> String {
    let mut page = Page::new(options);
    let sides = sides(&report.outcomes);
    verdict(&mut page, report.verdict(), &report.verdict_words());
    thresholds(&mut page, report);
    for doubt in report.doubts() {
        page.gap();
        doubted(&mut page, &doubt);
    }
    if options.detail == Detail::Quiet || sides.is_empty() {
        return page.finish();
    }
    page.gap();
    answer(&mut page, &sides);
    notes(&mut page, report, &sides);
    if let Some(conclusion) = summary::conclusion(&sides) {
        page.gap();
        page.text(0, Ink::Strong, &conclusion);
    }
    if options.detail == Detail::Verbose {
        for side in &sides {
            page.gap();
            one(&mut page, side, sides.len() == 1);
        }
        if sides.len() > 1 {
            page.gap();
            compared(&mut page, &sides);
        }
    }
    page.gap();
    foot(&mut page, report);
    page.finish()
}

pub(super) fn verdict(page: &mut Page, verdict: Verdict, words: &str) {
    let (mark, ink) = match verdict {
        Verdict::Held => ("✓ ", Ink::Good),
        Verdict::Broken => ("✗ ", Ink::Bad),
        Verdict::Unproven => ("? ", Ink::Warning),
    };
    page.labelled(0, mark, ink, ink, words);
}

fn foot(page: &mut Page, report: &LoadReport) {
    let run = report.outcomes.first().map(|outcome| &outcome.run);
    let (plan, started) = run.map_or(("", ""), |run| (&run.plan, &run.started));
    // Fractions of a second tell a reader nothing.
    let started = started.split('.').next().unwrap_or_default();
    let more = if page.detail < Detail::Verbose { "all figures: -v" } else { "" };
    let parts = [report.tool.as_str(), plan, started, more];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    page.text(0, Ink::Faint, &parts.join(" · "));
}

/// Unmet thresholds come first.
fn thresholds(page: &mut Page, report: &LoadReport) {
    let (met, unmet): (Vec<_>, Vec<_>) =
        report.judged.iter().partition(|judged| judged.judgement.passes());
    let is_verbose = page.detail == Detail::Verbose;
    let hidden = match page.detail {
        Detail::Quiet => met.len(),
        Detail::Normal if met.len() > MET => met.len(),
        _ => 0,
    };
    for judged in unmet {
        let (mark, ink) =
            if judged.is_crossed() { ("✗ ", Ink::Bad) } else { ("? ", Ink::Warning) };
        let of = format!("{}{}", judged.of(), judged.threshold);
        page.labelled(2, mark, ink, Ink::Plain, &format!("{of}: {}", judged.seen()));
        if let Some(meaning) = facts::meaning(judged).filter(|_| is_verbose) {
            page.text(4, Ink::Faint, &meaning);
        }
    }
    if hidden == 0 {
        met_rows(page, &met);
    } else if page.detail > Detail::Quiet {
        let others = sseproof_units::counted(hidden, "threshold");
        page.labelled(2, "✓ ", Ink::Good, Ink::Plain, &format!("{others} not crossed"));
    }
}

fn met_rows(page: &mut Page, met: &[&JudgedThreshold]) {
    let rows = met.iter().map(|judged| {
        let limit = match judged.threshold.limit {
            Limit::Value(limit) => limit.to_string(),
            Limit::Change(share) => format!("{:+.0}%", share * 100.0),
        };
        let subject = format!("✓ {}{}", judged.of(), judged.threshold.subject);
        [subject, format!("{} (limit {limit})", judged.seen())]
    });
    page.block(&table(rows, 2, page.width));
}

fn doubted(page: &mut Page, doubt: &Doubt) {
    page.labelled(0, "! ", Ink::Warning, Ink::Warning, &doubt.title);
    for reason in &doubt.reasons {
        page.labelled(2, "- ", Ink::Plain, Ink::Plain, reason);
    }
    page.text(2, Ink::Faint, doubt.meaning);
}

/// The column in which the values of one side begin.
const VALUES: usize = 26;

fn answer(page: &mut Page, sides: &[Side<'_>]) {
    let room = page.width.saturating_sub(2);
    let is_narrow = summary::several(sides).without("ratio").width() > room;
    for side in sides {
        title(page, side);
        if sides.len() == 1 || is_narrow {
            rows(page, side);
        }
    }
    if sides.len() == 1 || is_narrow {
        return;
    }
    page.gap();
    let lines = summary::several(sides).lines(room, &["ratio"]);
    for (at, line) in lines.iter().enumerate() {
        page.verbatim(2, if at == 0 { Ink::Faint } else { Ink::Plain }, line);
    }
    let costs = "memory and processor time are of the server";
    let legend = match sides {
        [first, second] => format!("ratio: {} ÷ {}; {costs}", second.name, first.name),
        _ => costs.to_owned(),
    };
    page.text(2, Ink::Faint, &legend);
}

fn rows(page: &mut Page, side: &Side<'_>) {
    for (label, value) in summary::one(side) {
        let (value, ink) = match value {
            Ok(value) => (value, Ink::Plain),
            Err(why) => (why, Ink::Faint),
        };
        page.labelled(2, &format!("{label:<VALUES$}"), Ink::Faint, ink, &value);
    }
}

fn title(page: &mut Page, side: &Side<'_>) {
    let url = side.rounds.first().map_or("", |round| &round.run.url);
    // Streams that end soon are never all open at once.
    let clients = match summary::has_requests(side) {
        true => sseproof_units::counted(side.total.counters.count(Counter::Arrivals), "request"),
        false => sseproof_units::counted(side.most_open(), "client"),
    };
    let seconds = side.lasting.as_secs_f64();
    let mut facts = format!("{url} · {clients} · {seconds:.0} s");
    if side.rounds.len() > 1 {
        facts.push_str(&format!(" · {} rounds", side.rounds.len()));
    }
    page.titled("■", Ink::Hint, &side.name, &facts);
}

/// Notes on the six rows: errors, and where values come from.
fn notes(page: &mut Page, report: &LoadReport, sides: &[Side<'_>]) {
    let hung = report.unopened().0 > 0;
    let mut said: Vec<(bool, String, String)> = Vec::new();
    let mut say = |is_bad, of: &str, text: String| match said.iter_mut().find(|it| it.2 == text) {
        Some((_, whose, _)) => *whose = String::new(),
        None => said.push((is_bad, format!("{of}: "), text)),
    };
    for side in sides {
        // A doubt has named the clients without a stream.
        let facts =
            facts::facts(side).into_iter().filter(|it| !(hung && it.label == "connections"));
        for Facts { label, parts, bad } in facts {
            if !bad.is_empty() {
                say(true, &side.name, format!("{label}: {}", bad.join(" · ")));
            } else if [facts::CLOCKS, facts::COMPRESSION].contains(&label) {
                say(false, &side.name, format!("{label}: {}", parts.join(" · ")));
            }
        }
        let errors = facts::errors(side);
        if !errors.is_empty() {
            let sum = errors.iter().fold(0, |sum: u64, (_, count, _)| sum.saturating_add(*count));
            let first = errors.iter().take(3);
            let first: Vec<_> = first
                .map(|(text, count, _)| format!("{} {text}", sseproof_units::count(*count)))
                .collect();
            let errors = sseproof_units::counted(sum, "error");
            say(true, &side.name, format!("{errors}: {}", first.join(", ")));
        }
        for found in side.rounds.first().map_or(&[][..], |round| &round.run.found) {
            say(false, &side.name, found.clone());
        }
    }
    if sides.len() > 1 {
        for why in summary::reasons(sides) {
            say(false, "", why);
        }
    }
    if !said.is_empty() {
        page.gap();
    }
    for (is_bad, of, text) in said {
        let of = if sides.len() > 1 && of != ": " { of } else { String::new() };
        let (mark, ink) = if is_bad { ("! ", Ink::Warning) } else { ("· ", Ink::Faint) };
        page.labelled(2, mark, ink, ink, &format!("{of}{text}"));
    }
}

fn one(page: &mut Page, side: &Side<'_>, alone: bool) {
    title(page, side);
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
        let sum = errors.iter().fold(0, |sum: u64, (_, count, _)| sum.saturating_add(*count));
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
    for why in facts::missing(side) {
        page.labelled(2, "not measured: ", Ink::Faint, Ink::Faint, &why);
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
    let full = sides_compared::comparison(sides, true);
    let grid = if full.width() > room { sides_compared::comparison(sides, false) } else { full };
    let lines = grid.lines(room, &["ratio"]);
    for (at, line) in lines.iter().enumerate() {
        page.verbatim(2, if at == 0 { Ink::Faint } else { Ink::Plain }, line);
    }
    if let Some(method) = sides_compared::ratio_method(sides) {
        page.text(2, Ink::Faint, &method);
    }
    for why in sides_compared::gaps(sides) {
        page.labelled(2, "– ", Ink::Faint, Ink::Faint, &why);
    }
    if let Some(method) = sides.first().and_then(facts::method) {
        page.text(2, Ink::Faint, &format!("memory: {method}"));
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::examples::{
        all, broken, compressed, good, hung, over_http2, partial, requests, rounds, saturated,
        twice, unstamped, warm,
    };
    use super::*;

    fn plain(report: &LoadReport, detail: Detail) -> String {
        let width = if detail == Detail::Verbose { 100 } else { 80 };
        render(report, &Options { width, detail, ..Options::default() })
    }

    #[test]
    fn each_run_is_written_as_expected() {
        use Detail::{Normal, Quiet, Verbose};
        for (name, report, detail) in [
            ("a_good_run", good(), Normal),
            ("a_good_run-2", good(), Quiet),
            ("a_good_run-3", good(), Verbose),
            ("a_run_that_fails_says_so_first", broken(), Normal),
            ("a_run_that_fails_says_so_first-2", broken(), Verbose),
            ("a_saturated_generator_and_a_missing_part_prove_nothing", saturated(), Normal),
            ("a_saturated_generator_and_a_missing_part_prove_nothing-2", partial(), Quiet),
            ("streams_that_never_opened_are_counted_first", hung(), Normal),
            ("compression_is_noted", compressed(), Normal),
            ("two_transports_stand_side_by_side", twice(), Normal),
            ("two_transports_stand_side_by_side-2", twice(), Verbose),
            ("rounds_are_compared", rounds(), Normal),
            ("a_server_that_was_not_restarted", warm(), Normal),
            ("requests_whose_streams_end", requests(0), Normal),
            ("requests_whose_streams_end-2", requests(19), Normal),
            ("requests_whose_streams_end-3", requests(15), Normal),
            ("events_without_a_stamp", unstamped(), Normal),
        ] {
            let text = plain(&report, detail);
            assert!(detail == Verbose || text.lines().count() < 38, "{name}:\n{text}");
            assert_snapshot!(name, text);
        }
    }

    #[test]
    fn streams_that_share_connections_are_called_so() {
        let mut report = over_http2();
        assert!(plain(&report, Detail::Verbose).contains("WebSocket ÷ SSE over HTTP/2"));
        report.outcomes.truncate(1);
        let text = plain(&report, Detail::Verbose);
        let from = text.rfind("■").unwrap();
        assert_snapshot!(&text[from..]);
    }

    #[test]
    fn clocks_that_differ_are_reported() {
        let mut report = good();
        let run = &mut report.outcomes[0].run;
        run.stamp = "/at:ms".to_owned();
        let text_for = |report: &mut LoadReport, least: i64, most: i64| {
            report.outcomes[0].intervals[0].offset =
                Some(sseproof_load_model::Offset { least, most });
            let text = plain(report, Detail::Normal);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        const SECOND: i64 = 1_000_000_000;
        let ahead = text_for(&mut report, 9 * SECOND, 11 * SECOND);
        assert!(ahead.contains("the server's is 9 s to 11 s fast"), "{ahead}");
        // The first event took less than a millisecond by these stamps.
        for (least, most) in [(-11, -9), (-1, 2), (1, 4), (2, 1)] {
            let text = text_for(&mut report, least * SECOND, most * SECOND);
            assert!(
                text.contains("the unknown difference of the clocks"),
                "{least} {most}: {text}"
            );
            assert!(!text.contains("the server's is"), "{least} {most}: {text}");
        }
        let unknown = text_for(&mut report, -SECOND, 2 * SECOND);
        assert!(unknown.contains("(by the Date of its responses at most 2 s)"), "{unknown}");
        // Stamps of the generator are of its own clock.
        report.outcomes[0].run.stamp = "own".to_owned();
        assert!(!text_for(&mut report, 9 * SECOND, 11 * SECOND).contains("clocks"));
    }

    #[test]
    fn rounds_are_compared_with_an_interval() {
        let text = plain(&rounds(), Detail::Verbose);
        let from = text.find("■ side by side").unwrap();
        assert_snapshot!(&text[from..]);
    }

    #[test]
    fn a_server_that_was_not_restarted_is_reported() {
        let text = plain(&warm(), Detail::Verbose);
        let from = text.find("– WebSocket").unwrap();
        assert_snapshot!(&text[from..]);
    }

    #[test]
    fn nothing_is_wider_than_the_terminal() {
        assert_snapshot!(plain(&LoadReport::default(), Detail::Normal));
        for report in all() {
            for (width, detail) in [60, 80, 100]
                .into_iter()
                .flat_map(|width| [(width, Detail::Normal), (width, Detail::Verbose)])
            {
                let text =
                    render(&report, &Options { width, colour: true, detail, ..Options::default() });
                let text = anstyle_free(&text);
                for line in text.lines().filter(|line| !line.contains("://")) {
                    assert!(columns(line) <= width, "{width}: {line}");
                }
            }
        }
    }

    /// Noise around nothing is not a negative size, and a small ratio is not nothing.
    #[test]
    fn no_number_says_what_cannot_be() {
        let mut report = twice();
        for (at, sample) in report.outcomes[1].resources.samples.iter_mut().enumerate() {
            if let (Some(server), Some(kernel)) = (&mut sample.server, &mut sample.kernel) {
                kernel.slab = 300_000_000 - sample.open * 100 + (at as u64 % 3) * 9000;
                server.private = 8_000_000 - at as u64 * 1000;
                server.cpu /= 1000;
            }
        }
        for detail in [Detail::Normal, Detail::Verbose] {
            let text = plain(&report, detail);
            let is_negative = |word: &str| {
                let digits = word.strip_prefix(['-', '−']);
                digits.is_some_and(|digits| digits.starts_with(|char: char| char.is_ascii_digit()))
            };
            assert_eq!(text.split_whitespace().find(|word| is_negative(word)), None, "{text}");
            assert!(!text.lines().any(|line| line.ends_with(" 0.00")), "{text}");
            assert!(text.contains("< 0.01"), "{text}");
        }
    }

    fn anstyle_free(text: &str) -> String {
        let mut parts = text.split('\x1b');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once('m').map_or("", |(_, rest)| rest))
    }
}
