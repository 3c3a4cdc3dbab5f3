//! A report as Markdown, short enough for a comment on a pull request.

use sseproof_rules::Level;
use sseproof_units::inert;

use crate::summary::{recorded, rules, verdict};
use crate::terminal::{Detail, Options, failure_text, scenario_text};
use crate::{Judged, KnownResult, Outcome, Report, Standing};

/// How many failures are shown with their bytes: comments have a size limit.
const DETAILED: usize = 15;

/// From this size on, in bytes, failures are shown without logs.
const LOGS: usize = 24_000;

const TEXT: Options = Options { width: 88, rows: None, colour: false, detail: Detail::Normal };

pub fn render(report: &Report) -> String {
    let mark = match report.outcome() {
        Outcome::Held => "✅",
        Outcome::Broken => "❌",
        Outcome::Unproven => "❔",
    };
    let mut out = format!("### {mark} sseproof: {}\n\n", escape(&verdict(report)));
    if !report.target.is_empty() {
        out.push_str(&format!("{}\\\n", code(&report.target)));
    }
    if let Some(way) = &report.way {
        out.push_str(&format!("{}\\\n", escape(way)));
    }
    if let Some(profile) = &report.profile {
        out.push_str(&format!("profile {}\\\n", code(profile)));
    }
    out.push_str(&format!("rules: {}\\\n", escape(&rules(report))));
    out.push_str(&format!("recorded: {}\n", escape(&recorded(report))));
    failures(&mut out, report);
    scenarios(&mut out, report);
    stale(&mut out, report);
    passes(&mut out, report);
    if !report.tool.is_empty() {
        out.push_str(&format!("\n<sub>{}</sub>\n", escape(&report.tool)));
    }
    inert(&out)
}

fn failures(out: &mut String, report: &Report) {
    let failed = report.failed();
    if failed.is_empty() {
        return;
    }
    out.push_str("\n| | rule | level | message |\n| --- | --- | --- | --- |\n");
    for finding in &failed {
        let (mark, level) = (mark(report, finding), finding.level_words());
        let message = escape(&finding.headline());
        out.push_str(&format!("| {mark} | {} | {level} | {message} |\n", name(finding)));
    }
    for finding in failed.iter().take(DETAILED) {
        let summary = format!("<code>{}</code>: place, reason and fix", html(&finding.rule));
        let mut text = fence(&failure_text(report, finding, &TEXT));
        let log = finding.evidence.first().map(|evidence| &evidence.log);
        if let Some(log) = log.filter(|log| !log.is_empty() && out.len() < LOGS) {
            details(&mut text, "bytes on the wire", &fence(&inert(&log.join("\n"))));
        }
        details(out, &summary, &text);
    }
}

fn scenarios(out: &mut String, report: &Report) {
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.failures.is_empty()) {
        let summary = format!("❌ scenario: {}", html(&scenario.name));
        details(out, &summary, &fence(&scenario_text(scenario, &TEXT)));
    }
}

fn stale(out: &mut String, report: &Report) {
    for entry in report.known.iter().filter(|entry| entry.stale) {
        let text = "the rules of this known failure pass now; remove the entry.";
        out.push_str(&format!("\n❌ {}: {text}\n", code(&entry.glob)));
    }
    for (entry, over) in report.over() {
        out.push_str(&format!("\n❌ known failure {}: {}\n", code(&entry.glob), escape(&over)));
    }
}

fn passes(out: &mut String, report: &Report) {
    let mut rows = String::new();
    for (standing, mark) in [
        (Standing::Inconclusive, "❔ inconclusive"),
        (Standing::Known, "known to fail"),
        (Standing::Held, "✅"),
        (Standing::Skipped, "skipped"),
    ] {
        for finding in report.standing_at(standing) {
            let note = match standing {
                Standing::Known => report.known_entry(&finding.rule).map(KnownResult::acceptance),
                _ => Some(finding.note.clone()),
            };
            let note = escape(&note.unwrap_or_default());
            rows.push_str(&format!("| {mark} | {} | {note} |\n", name(finding)));
        }
    }
    if !rows.is_empty() {
        let text = format!("| | rule | evidence |\n| --- | --- | --- |\n{rows}");
        details(out, "passed, skipped and inconclusive rules", &text);
    }
}

fn mark(report: &Report, finding: &Judged) -> &'static str {
    match (report.standing(finding), finding.level) {
        (Standing::Broken, _) => "❌",
        (_, Level::Advice) => "💡",
        _ => "⚠️",
    }
}

/// The rule's id, linked to its requirement if there is a link.
fn name(finding: &Judged) -> String {
    let name = code(&finding.rule);
    if finding.link.starts_with("https://") && !finding.link.contains([' ', ')', '|', '<']) {
        format!("[{name}]({})", finding.link)
    } else {
        name
    }
}

pub(crate) fn details(out: &mut String, summary: &str, text: &str) {
    out.push_str(&format!("\n<details><summary>{summary}</summary>\n\n{text}\n</details>\n"));
}

/// The text in a fence that is longer than every run of backticks in it.
pub(crate) fn fence(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// The text as code in a line, also in a table.
pub(crate) fn code(text: &str) -> String {
    let text = inert(text).replace('\n', " ").replace('`', "'").replace('|', "\\|");
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// The text in one line, without effect in Markdown or HTML, and without mentions.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in inert(text).replace('\n', " ").chars() {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("@<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(char);
            }
            char => out.push(char),
        }
    }
    out
}

/// The text inside an HTML element, in which Markdown has no effect.
pub(crate) fn html(text: &str) -> String {
    let text = inert(text).replace('\n', " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{example, fail};
    use insta::assert_snapshot;

    #[test]
    fn a_broken_run() {
        assert_snapshot!(render(&example("broken")));
    }

    #[test]
    fn runs_that_are_short_to_tell() {
        let all = ["held", "embedded", "until", "partial", "quiet_failure", "unknown"].map(example);
        let all = all.into_iter().chain([Report::default()]).map(|report| render(&report));
        assert_snapshot!(all.collect::<Vec<_>>().join("\n---\n\n"));
    }

    #[test]
    fn a_target_writes_no_markdown() {
        assert_eq!(
            escape("a|b <img> @name\n[x](y) `z`"),
            "a\\|b &lt;img&gt; @<!-- -->name \\[x\\](y) \\`z\\`"
        );
        assert_eq!(fence("a ``` b ````"), "`````text\na ``` b ````\n`````\n");
    }

    #[test]
    fn a_comment_stays_short() {
        let findings = (0..60).map(|n| fail(&format!("stream/{n}"), Level::Must, &[])).collect();
        let text = render(&Report { findings, ..example("held") });
        assert!(text.len() < 32_000, "{}", text.len());
    }
}
