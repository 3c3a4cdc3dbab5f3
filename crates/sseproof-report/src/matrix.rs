//! Many targets in one table: rule by peer, as Markdown.

use sseproof_rules::{Level, Status};

use crate::markdown::escape;
use crate::{Judged, Outcome, Report};

const LEGEND: &str = "✓ passed · ✗ must broken · ! should broken · \
    · advice not met · ? inconclusive · – skipped";

/// The table of the results of each peer by rule, and its outcome.
///
/// Rules are in the order of the reports. A known failure is shown as a failure: the table is about
/// servers, not about exceptions.
pub fn peers_matrix(peers: &[(String, Report)]) -> String {
    let mut rules: Vec<&Judged> = Vec::new();
    for finding in peers.iter().flat_map(|(_, report)| &report.findings) {
        if !rules.iter().any(|known| known.rule == finding.rule) {
            rules.push(finding);
        }
    }
    let mut out = String::from("| rule | level |");
    for (name, _) in peers {
        out.push_str(&format!(" {} |", escape(name)));
    }
    out.push_str("\n| --- | --- |");
    out.push_str(&" :-: |".repeat(peers.len()));
    out.push('\n');
    for rule in &rules {
        out.push_str(&format!("| {} | {} |", escape(&rule.rule), rule.level.word()));
        for (_, report) in peers {
            let finding = report.findings.iter().find(|finding| finding.rule == rule.rule);
            out.push_str(&format!(" {} |", finding.map_or("", mark)));
        }
        out.push('\n');
    }
    out.push_str("| **outcome** | |");
    for (_, report) in peers {
        let mark = match report.outcome() {
            Outcome::Held => "✓",
            Outcome::Broken => "✗",
            Outcome::Unproven => "?",
        };
        out.push_str(&format!(" **{mark}** |"));
    }
    out.push_str(&format!("\n\n{LEGEND}\n"));
    out
}

fn mark(finding: &Judged) -> &'static str {
    match (finding.status, finding.level) {
        (Status::Pass, _) => "✓",
        (Status::Fail, Level::Must) => "✗",
        (Status::Fail, Level::Should) => "!",
        (Status::Fail, Level::Advice) => "·",
        (Status::Skip, _) => "–",
        (Status::Inconclusive, _) => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::example;
    use insta::assert_snapshot;

    #[test]
    fn each_peer_is_a_column() {
        let peers = [
            ("axum 0.8".to_owned(), example("held")),
            ("a|b".to_owned(), example("broken")),
            ("Express".to_owned(), example("quiet_failure")),
        ];
        assert_snapshot!(peers_matrix(&peers));
    }

    #[test]
    fn no_peer_is_no_error() {
        assert!(peers_matrix(&[]).ends_with(&format!("{LEGEND}\n")));
    }
}
