//! A run as GitLab's code quality report: a list of problems, each with a file and a line.
//!
//! Known failures are left out, since the report has no way to accept a problem.

use serde_json::{Value, json};
use sseproof_units::inert;

use super::{Problem, Run, Weight};

pub fn render(run: &Run) -> String {
    let problems = run.problems.iter().zip(run.fingerprints());
    let problems = problems.filter(|(problem, _)| problem.accepted.is_none());
    let issues: Vec<_> =
        problems.map(|(problem, fingerprint)| issue(run, problem, &fingerprint)).collect();
    match serde_json::to_string_pretty(&issues) {
        Ok(text) => text + "\n",
        Err(error) => unreachable!("these are plain values: {error}"),
    }
}

fn issue(run: &Run, problem: &Problem, fingerprint: &str) -> Value {
    let Problem { rule, message, fix, place, .. } = problem;
    let fix = if fix.is_empty() { String::new() } else { format!(" Fix: {fix}") };
    json!({
        "description": inert(&format!("{rule}: {message}.{fix}")).replace('\n', " "),
        "check_name": rule,
        "fingerprint": fingerprint,
        "severity": severity(run, problem),
        "location": { "path": place.file, "lines": { "begin": place.line } },
    })
}

fn severity(run: &Run, problem: &Problem) -> &'static str {
    let is_security = run.rule(problem).is_some_and(|rule| rule.security.is_some());
    match (problem.weight, is_security) {
        (Weight::Error, true) => "blocker",
        (Weight::Error, false) => "critical",
        (Weight::Warning, true) => "major",
        (Weight::Warning, false) => "minor",
        (Weight::Note, _) => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::tests::{EXAMPLES, judged, run};

    /// The members that GitLab documents as required, and their values.
    /// <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>
    fn schema() -> Value {
        json!({
            "type": "array",
            "items": {
                "type": "object",
                "required": ["description", "check_name", "fingerprint", "severity", "location"],
                "additionalProperties": false,
                "properties": {
                    "description": { "type": "string", "minLength": 1 },
                    "check_name": { "type": "string", "pattern": "^[a-z0-9/-]+$" },
                    "fingerprint": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
                    "severity": { "enum": ["info", "minor", "major", "critical", "blocker"] },
                    "location": {
                        "type": "object",
                        "required": ["path", "lines"],
                        "properties": {
                            "path": { "type": "string", "pattern": "^[^./]" },
                            "lines": {
                                "type": "object",
                                "required": ["begin"],
                                "properties": { "begin": { "type": "integer", "minimum": 1 } },
                            },
                        },
                    },
                },
            },
        })
    }

    #[test]
    fn every_run_follows_the_format() {
        for name in EXAMPLES {
            let mut document: Value = serde_json::from_str(&render(&run(name))).unwrap();
            assert_eq!(judged(&schema(), &document), Ok(()), "{name}");
            document.as_array_mut().unwrap().push(json!({}));
            assert!(judged(&schema(), &document).is_err(), "the schema refuses something");
        }
    }

    #[test]
    fn a_broken_run_reads_well() {
        let text = render(&run("broken"));
        assert!(!text.contains("\"stream/bom\""), "a known failure is accepted: {text}");
        insta::assert_snapshot!(text);
    }
}
