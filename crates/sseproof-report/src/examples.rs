//! The reports of `tests/examples.yaml`, and findings and evidence with their default members.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use sseproof_rules::{Evidence, Level, Mutant, Requirement, Rule, RuleText, Verdict, reference};

use crate::{Judged, Report};

static FILE: LazyLock<Value> = LazyLock::new(|| {
    serde_yaml::from_str(include_str!("../tests/examples.yaml")).expect("the examples")
});

fn at(path: &str) -> Value {
    FILE.pointer(path).unwrap_or_else(|| panic!("no example {path}")).clone()
}

/// The members of `given`, and for others those of `base`.
fn over(mut base: Value, given: &Value) -> Value {
    let members = |value: &Value| -> Map<_, _> { value.as_object().expect("a map").clone() };
    base.as_object_mut().expect("a map").extend(members(given));
    base
}

fn evidence(given: &Value) -> Value {
    over(at("/evidence"), given)
}

fn judged(given: &Value) -> Value {
    let (_, name) = given["rule"].as_str().and_then(|id| id.split_once('/')).unwrap_or_default();
    let base = over(at("/finding"), &json!({ "requirement": format!("whatwg-sse/{name}") }));
    let mut finding = over(base, given);
    for one in finding["evidence"].as_array_mut().expect("a list") {
        *one = evidence(one);
    }
    finding
}

pub(crate) fn example(name: &str) -> Report {
    let mut report = over(at("/reports/broken"), &at(&format!("/reports/{name}")));
    for finding in report["findings"].as_array_mut().expect("a list") {
        *finding = judged(finding);
    }
    serde_json::from_value(report).expect("a report")
}

fn finding(rule: &str, level: Level, status: &str, note: &str) -> Judged {
    let given = json!({ "rule": rule, "level": level, "status": status, "note": note });
    serde_json::from_value(judged(&given)).expect("a finding")
}

pub(crate) fn pass(rule: &str, note: &str) -> Judged {
    finding(rule, Level::Must, "pass", note)
}

pub(crate) fn skip(rule: &str, note: &str) -> Judged {
    finding(rule, Level::Should, "skip", note)
}

pub(crate) fn fail(rule: &str, level: Level, evidence: &[Evidence]) -> Judged {
    Judged { evidence: evidence.to_vec(), ..finding(rule, level, "fail", "") }
}

pub(crate) fn place(place: &str, offset: Option<u64>, message: &str) -> Evidence {
    let given = json!({ "place": place, "offset": offset, "message": message });
    serde_json::from_value(evidence(&given)).expect("evidence")
}

pub(crate) fn requirement() -> Requirement {
    serde_json::from_value(at("/requirement")).expect("a requirement")
}

pub(crate) fn rule_text() -> RuleText {
    requirement().rules.remove(0)
}

pub(crate) const RULE: Rule = Rule {
    id: "stream/terminated",
    judge: |_| Verdict::Skip(String::new()),
    mutants: &[
        Mutant::new("unended", "ends in the middle of an event", reference::answer),
        Mutant::new(
            "one-line-feed",
            "ends events by one line feed instead of two",
            reference::answer,
        ),
    ],
};
