//! The rules, with what breaking them does and the mutants that break them.

use std::fmt::Write as _;

use sseproof_rules::{Requirement, RuleText, rules};

pub(super) fn render() -> String {
    let mut out = String::from(
        "# The rules\n\n`sseproof explain RULE` says more of each, with recipes for common servers and clients.\nThe rules of the family `client` are those of `sseproof check-client`.\n",
    );
    let of_servers = rules().map(|rule| {
        let mutants: Vec<_> = rule.mutants.iter().map(|mutant| mutant.id).collect();
        ((rule.requirement(), rule.text()), mutants)
    });
    let of_clients = sseproof_client_rules::rules().map(|rule| {
        let mutants: Vec<_> = rule.mutants.iter().map(|mutant| mutant.id).collect();
        (rule.texts(), mutants)
    });
    let mut family = "";
    for (texts, mutants) in of_servers.chain(of_clients) {
        let id = texts.1.id.as_str();
        let of = id.split_once('/').map_or(id, |(of, _)| of);
        if of != family {
            family = of;
            let _ = writeln!(
                out,
                "\n## {family}\n\n| rule | level | what holds | why it matters | mutants |\n|---|---|---|---|---|"
            );
        }
        row(&mut out, texts, &mutants);
    }
    out
}

fn row(out: &mut String, (requirement, text): (&Requirement, &RuleText), mutants: &[&str]) {
    let mutants: Vec<_> = mutants.iter().map(|mutant| format!("`{mutant}`")).collect();
    let _ = writeln!(
        out,
        "| `{}` | {} | {} | {} | {} |",
        text.id,
        requirement.standing(),
        cell(&text.title),
        cell(&text.why),
        mutants.join(", ")
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
