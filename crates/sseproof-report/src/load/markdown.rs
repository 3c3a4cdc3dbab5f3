//! Results of a load as Markdown, for a comment on a pull request or a summary of a CI job.

use sseproof_load_model::threshold::Judgement;
use sseproof_units::inert;

use super::facts::{self, Facts};
use super::side::{Side, sides};
use super::sides_compared;
use super::{LoadReport, grid::Grid, summary};
use crate::Outcome as Verdict;
use crate::markdown::{code, details, escape};

pub fn render(report: &LoadReport) -> String {
    let mark = match report.verdict() {
        Verdict::Held => "✅",
        Verdict::Broken => "❌",
        Verdict::Unproven => "❔",
    };
    let mut out = format!("### {mark} sseproof load: {}\n", escape(&report.verdict_words()));
    thresholds(&mut out, report);
    for doubt in report.doubts() {
        let title = escape(&doubt.title);
        out.push_str(&format!("\n⚠️ **{title}**\n"));
        doubt.reasons.iter().for_each(|reason| out.push_str(&format!("- {}\n", escape(reason))));
        out.push_str(&format!("\n{}\n", escape(doubt.meaning)));
    }
    let sides = sides(&report.outcomes);
    if let Some(conclusion) = summary::conclusion(&sides) {
        out.push_str(&format!("\n{}\n", escape(&conclusion)));
    }
    for side in &sides {
        one(&mut out, side, sides.len() == 1);
    }
    if sides.len() > 1 {
        out.push_str("\n#### Side by side\n\n");
        grid(&mut out, &sides_compared::comparison(&sides, true));
        if let Some(method) = sides_compared::ratio_method(&sides) {
            out.push_str(&format!("\n<sub>{}</sub>\n", escape(&method)));
        }
        let gaps: String =
            sides_compared::gaps(&sides).iter().map(|why| format!("- {}\n", escape(why))).collect();
        if !gaps.is_empty() {
            details(&mut out, "values that cannot be compared", &gaps);
        }
        if let Some(method) = sides.first().and_then(facts::method) {
            out.push_str(&format!("\n<sub>memory: {}</sub>\n", escape(&method)));
        }
    }
    let run = report.outcomes.first().map(|outcome| &outcome.run);
    let (plan, started) = run.map_or(("", ""), |run| (&run.plan, &run.started));
    let parts = [report.tool.as_str(), plan, started].map(escape);
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if !parts.is_empty() {
        out.push_str(&format!("\n<sub>{}</sub>\n", parts.join(" · ")));
    }
    inert(&out)
}

/// Unmet thresholds come first.
fn thresholds(out: &mut String, report: &LoadReport) {
    if report.judged.is_empty() {
        return;
    }
    out.push_str("\n| | fails if | side | value |\n| --- | --- | --- | --- |\n");
    let mut judged: Vec<_> = report.judged.iter().collect();
    judged.sort_by_key(|judged| judged.judgement.passes());
    for judged in judged {
        let mark = match judged.judgement {
            Judgement::Held(_) => "✅",
            Judgement::Crossed(_) => "❌",
            Judgement::NoData(_) => "❔",
        };
        let (threshold, of) = (code(&judged.threshold.to_string()), escape(&judged.of));
        let seen = escape(&judged.seen());
        out.push_str(&format!("| {mark} | {threshold} | {of} | {seen} |\n"));
    }
}

fn one(out: &mut String, side: &Side<'_>, alone: bool) {
    let url = side.rounds.first().map_or("", |round| &round.run.url);
    let (seconds, rounds) = (side.lasting.as_secs_f64(), side.rounds.len());
    let rounds = if rounds > 1 { format!(", {rounds} rounds") } else { String::new() };
    out.push_str(&format!(
        "\n#### {}\n\n{}, {seconds:.0} s{rounds}\n\n",
        escape(&side.name),
        code(url)
    ));
    let times = facts::times(side);
    if !times.rows.is_empty() {
        grid(out, &times);
        out.push('\n');
    }
    let found = side.rounds.first().map_or(&[][..], |round| &round.run.found);
    found.iter().for_each(|found| out.push_str(&format!("- {}\n", escape(found))));
    for Facts { label, parts, bad } in facts::facts(side) {
        let bad = bad.iter().map(|text| format!("**{}**", escape(text)));
        let parts: Vec<_> = bad.chain(parts.iter().map(|text| escape(text))).collect();
        out.push_str(&format!("- {label}: {}\n", parts.join(" · ")));
    }
    let errors = facts::errors(side);
    if !errors.is_empty() {
        out.push_str("\n| errors | | |\n| ---: | --- | --- |\n");
        for (key, count, meaning) in errors {
            let count = sseproof_units::count(count);
            out.push_str(&format!("| {count} | {} | {} |\n", code(&key), escape(&meaning)));
        }
    }
    if alone {
        costs(out, side);
    }
}

fn costs(out: &mut String, side: &Side<'_>) {
    let mut rows = String::new();
    for [key, value, words] in facts::costs(side) {
        rows.push_str(&format!("| {} | {} | {} |\n", code(&key), escape(&value), escape(&words)));
    }
    if !rows.is_empty() {
        out.push_str(&format!("\n| cost | | |\n| --- | ---: | --- |\n{rows}"));
    }
    if let Some(method) = facts::method(side) {
        out.push_str(&format!("\n<sub>{}</sub>\n", escape(&method)));
    }
    let missing: String =
        facts::missing(side).iter().map(|why| format!("- {}\n", escape(why))).collect();
    if !missing.is_empty() {
        details(out, "missing values", &missing);
    }
}

fn grid(out: &mut String, grid: &Grid) {
    let Grid { head, rows } = grid;
    let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<_> = head.iter().map(|cell| escape(cell)).collect();
    out.push_str(&row(&head));
    let rule: Vec<_> =
        (0..head.len()).map(|at| if at == 0 { "---" } else { "---:" }.to_owned()).collect();
    out.push_str(&row(&rule));
    for cells in rows {
        let name = cells.first().map(|name| code(name)).into_iter();
        let cells: Vec<_> = name.chain(cells.iter().skip(1).map(|cell| escape(cell))).collect();
        out.push_str(&row(&cells));
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::examples::{broken, good, hung, partial, twice};
    use super::*;

    #[test]
    fn a_run_that_fails() {
        assert_snapshot!(render(&broken()));
    }

    #[test]
    fn runs_that_do_not() {
        let all = [good(), partial(), hung(), twice(), LoadReport::default()];
        assert_snapshot!(all.iter().map(render).collect::<Vec<_>>().join("\n---\n\n"));
    }
}
