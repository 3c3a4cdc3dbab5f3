//! The rules, with what breaking them does and the mutants that break them.

use std::fmt::Write as _;

use sseproof_rules::rules;

pub(super) fn render() -> String {
    let mut out = String::from(
        "# The rules\n\n`sseproof explain RULE` says more of each, with recipes for common servers.\n",
    );
    let mut family = "";
    for rule in rules() {
        let (of, _) = rule.id.split_once('/').unwrap_or((rule.id, ""));
        if of != family {
            family = of;
            let _ = writeln!(
                out,
                "\n## {family}\n\n| rule | level | what holds | why it matters | mutants |\n|---|---|---|---|---|"
            );
        }
        let (level, text) = (rule.requirement().standing(), rule.text());
        let mutants: Vec<_> =
            rule.mutants.iter().map(|mutant| format!("`{}`", mutant.id)).collect();
        let _ = writeln!(
            out,
            "| `{}` | {level} | {} | {} | {} |",
            rule.id,
            cell(&text.title),
            cell(&text.why),
            mutants.join(", ")
        );
    }
    out
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
