//! `Accept`, if the client sends it, allows event streams.

use sseproof_http::EVENT_STREAM;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-accept",
    cases: &["plain"],
    judge,
    mutants: &[Mutant::new(
        "accepts-json",
        "sends `Accept: application/json`",
        Hooks {
            request: |state| crate::client::request(state).with("Accept", "application/json"),
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let mut faults = Vec::new();
    let mut note = "no Accept";
    for asked in view.requests() {
        let ranges = asked.what.request.headers.list("accept");
        if ranges.iter().any(|range| allows(range)) {
            note = "Accept allows event streams";
        } else if !ranges.is_empty() {
            let message = format!("`Accept: {}` does not allow {EVENT_STREAM}", ranges.join(", "));
            faults.push(Fault::at(asked.entry, message).header("accept"));
        }
    }
    Judgement::of(faults, note)
}

/// Whether the media range includes event streams (RFC 9110, section 12.5.1).
fn allows(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let names = |name: &str| {
        [EVENT_STREAM, "text/*", "*/*"].iter().any(|one| name.eq_ignore_ascii_case(one))
    };
    let refuses = |parameter: &str| {
        let weight = parameter.strip_prefix("q=").or(parameter.strip_prefix("Q="));
        weight.and_then(|weight| weight.parse::<f64>().ok()) == Some(0.0)
    };
    parts.next().is_some_and(names) && !parts.any(refuses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_with_a_weight_of_zero_do_not_allow() {
        for range in ["text/event-stream", "Text/Event-Stream;q=0.9", "*/*", "text/*; q=0.1"] {
            assert!(allows(range), "{range}");
        }
        for range in ["application/json", "text/event-stream;q=0", "*/*; q=0.000", "text/plain"] {
            assert!(!allows(range), "{range}");
        }
    }
}
