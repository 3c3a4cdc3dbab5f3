//! A run in GitHub Actions: annotations, which are commands in the log, and the summary of the job.
//!
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>
//!
//! Text of others stands only in values of a command, and there it can end neither the value nor the
//! line: it is made inert first, so that it has no command of its own, and then escaped as GitHub's
//! own toolkit does.

use sseproof_units::{counted, inert};

use super::{Place, Problem, Run, Weight};
use crate::Outcome;
use crate::markdown::{code, details, escape, fence, html};

/// How many annotations of a kind GitHub shows of a step.
const ANNOTATIONS: usize = 10;
/// How many characters of a message are shown.
const MESSAGE: usize = 2_000;
/// How many problems the summary has in its table, and with their bytes.
const ROWS: usize = 100;
const DETAILED: usize = 15;
/// How many rules a line names.
const NAMED: usize = 20;

/// The commands that annotate a run, a line each, the gravest problem first.
pub fn annotations(run: &Run) -> Vec<String> {
    let mut commands = Vec::new();
    for (kind, weight, word) in [
        ("error", Weight::Error, "errors"),
        ("warning", Weight::Warning, "warnings"),
        ("notice", Weight::Note, "notes"),
    ] {
        let all: Vec<_> = run.fails().filter(|problem| problem.weight == weight).collect();
        // The last one counts those for which there is no place.
        let shown = if all.len() > ANNOTATIONS { ANNOTATIONS - 1 } else { all.len() };
        let (shown, more) = all.split_at(shown);
        commands.extend(shown.iter().map(|problem| {
            let Problem { rule, level, message, seen, fix, place, .. } = problem;
            let lines = [message.clone(), seen.clone(), labelled("fix: ", fix)];
            let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
            command(kind, Some(place), &format!("{rule} ({level})"), &lines.join("\n"))
        }));
        if !more.is_empty() {
            let names: Vec<_> = more.iter().take(NAMED).map(|problem| &*problem.rule).collect();
            let rest = more.len().saturating_sub(NAMED);
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let message = format!("{}{rest}; the log and the summary have them", names.join(", "));
            commands.push(command(kind, None, &format!("{} more {word}", more.len()), &message));
        }
    }
    commands
}

fn labelled(label: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{label}{text}") }
}

/// The command for a failure before there was a report.
pub fn error(message: &str) -> String {
    command("error", None, "no verdict", message)
}

/// The summary of the job for such a failure.
pub fn error_summary(message: &str, room: usize) -> String {
    let text = inert(&format!("### ❌ sseproof: no verdict\n\n{}", fence(&cut(message)))) + "\n";
    if text.len() <= room { text } else { String::new() }
}

fn command(kind: &str, place: Option<&Place>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(Place { file, line, column }) = place {
        properties.extend([format!("file={}", property(file)), format!("line={line}")]);
        properties.extend((*column > 0).then(|| format!("col={column}")));
    }
    properties.push(format!("title={}", property(&format!("sseproof: {title}"))));
    format!("::{kind} {}::{}", properties.join(","), data(&cut(message)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn data(text: &str) -> String {
    inert(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary of the job in Markdown, in at most `room` bytes: less, rather than a part that is cut.
pub fn summary(run: &Run, room: usize) -> String {
    let mark = match run.outcome {
        Outcome::Held => "✅",
        Outcome::Broken => "❌",
        Outcome::Unproven => "❔",
    };
    let mut short = format!("### {mark} sseproof {}: {}\n\n", run.command, escape(&run.verdict));
    let facts = [code(&run.target), labelled("rules: ", &escape(&run.counts))];
    let facts: Vec<_> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
    short.push_str(&format!("{}\n", facts.join("\\\n")));
    let with_table = format!("{short}{}", table(run));
    let mut whole = with_table.clone();
    for problem in run.fails().take(DETAILED) {
        let summary = format!("<code>{}</code>: place, reason and fix", html(&problem.rule));
        details(&mut whole, &summary, &fence(&problem.text));
    }
    let texts = [whole, with_table, short].map(|text| inert(&text) + "\n");
    texts.into_iter().find(|text| text.len() <= room).unwrap_or_default()
}

fn table(run: &Run) -> String {
    let all: Vec<_> = run.fails().collect();
    if all.is_empty() {
        return String::new();
    }
    let mut out = "\n| | rule | broken | fix |\n| --- | --- | --- | --- |\n".to_owned();
    for problem in all.iter().take(ROWS) {
        let Problem { rule, message, fix, .. } = problem;
        let mark = match problem.weight {
            Weight::Error => "❌",
            Weight::Warning => "⚠️",
            Weight::Note => "💡",
        };
        let message = escape(&cut(message));
        out.push_str(&format!("| {mark} | {} | {message} | {} |\n", code(rule), escape(fix)));
    }
    if let Some(more) = all.len().checked_sub(ROWS).filter(|more| *more > 0) {
        out.push_str(&format!("\nand {}\n", counted(more, "more problem")));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ci::tests::run;

    const ROOM: usize = 1 << 20;

    #[test]
    fn a_broken_run() {
        let run = run("broken");
        insta::assert_snapshot!(format!(
            "{}\n\n{}",
            annotations(&run).join("\n"),
            summary(&run, ROOM)
        ));
    }

    #[test]
    fn a_run_in_which_all_holds_has_a_summary_alone() {
        let run = run("held");
        assert_eq!(annotations(&run), Vec::<String>::new());
        insta::assert_snapshot!(summary(&run, ROOM));
    }

    #[test]
    fn the_last_of_too_many_annotations_counts_the_others() {
        let mut run = run("broken");
        let error = run.problems[0].clone();
        let many = (0..12).map(|number| Problem { rule: format!("a/{number}"), ..error.clone() });
        run.problems = many.collect();
        let commands = annotations(&run);
        assert_eq!(commands.len(), ANNOTATIONS);
        assert!(commands[0].contains("title=sseproof%3A a/0 "), "{commands:#?}");
        let last = "::error title=sseproof%3A 3 more errors::a/9, a/10, a/11; ";
        assert!(commands[9].starts_with(last), "{commands:#?}");
        run.problems.truncate(ANNOTATIONS);
        assert!(annotations(&run)[9].contains("a/9"));
    }

    #[test]
    fn a_summary_becomes_shorter_and_is_never_cut() {
        let run = run("broken");
        let [whole, less, least] = [ROOM, 4_000, 400].map(|room| summary(&run, room));
        assert!(whole.len() > 4_000 && whole.contains("</details>"), "{whole}");
        assert!(less.len() < 4_000 && less.contains("| --- |") && !less.contains("<details>"));
        assert!(least.starts_with("### ❌ sseproof check: broken"), "{least}");
        assert_eq!(summary(&run, 20), "");
    }

    proptest! {
        /// Text of others cannot begin a command, end a value or add a property.
        #[test]
        fn text_of_others_stays_a_value(text in "([%:,a-f=#\\[\r\n\u{1b}\u{202e}é ]|::|error|%0A|##\\[)*") {
            let mut run = run("broken");
            for problem in &mut run.problems {
                problem.message.clone_from(&text);
                problem.seen.clone_from(&text);
                problem.place.file.clone_from(&text);
                problem.rule.clone_from(&text);
            }
            for line in annotations(&run).iter().chain([&error(&text)]) {
                let [kinds, rest] = line[2..].split_once(' ').map(|(a, b)| [a, b]).unwrap();
                prop_assert!(line.starts_with("::") && ["error", "warning", "notice"].contains(&kinds));
                let has_effect = line.contains(['\r', '\n', '\u{1b}', '\u{202e}']);
                prop_assert!(!has_effect);
                let (properties, message) = rest.split_once("::").unwrap();
                for property in properties.split(',') {
                    let (name, value) = property.split_once('=').unwrap();
                    prop_assert!(["file", "line", "col", "title"].contains(&name));
                    prop_assert!(!value.contains(':'));
                }
                prop_assert!(!message.contains("##["));
                for escape in line.match_indices('%') {
                    let code = line.get(escape.0 + 1..escape.0 + 3).unwrap_or_default();
                    prop_assert!(["25", "0D", "0A", "3A", "2C"].contains(&code), "{}", line);
                }
            }
        }
    }
}
