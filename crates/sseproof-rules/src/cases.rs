//! For the tests of rules: the cases in `tests/rules/` and `tests/profiles/`, which are exchanges
//! written by hand with the expected verdict of a rule.
//!
//! A file has a list of cases for each rule of its family, most of them of one line:
//!
//! ```yaml
//! cases:
//!   utf8:
//!     - { passes: 1 stream, answer: "data: é\n\n" }
//!     - { fails: "invalid UTF-8: byte e9", at: offset 9, answer: "data: caf<<e9>>\n\n" }
//!     - { skips: any, each: { answer: ["", "<<x*5000>>"] } }
//!     - { passes: any, exchanges: [{}, { reconnect: 1, id: "22", status: 204 }] }
//! ```
//!
//! The verdict is `passes`, `fails`, `skips` or `inconclusive` with the whole text, or `any` text. A
//! rule that fails does so `at` a place (see [`describe`]), with one fault unless there is a `count`.
//! All other members are those of [`Asked`], and describe one exchange, or the `exchanges` have
//! them. `each` gives the last exchange one value of a member after another.
//!
//! `events`, `readings`, `publish` and `churn` are the events of the run besides its exchanges.
//!
//! An exchange of a general rule is a subscription to the reference, or to the `mutant` with that id,
//! and members change its recording. In a case of a profile it is a request of that profile, and the
//! response is an event stream without events.

mod exchange;
mod recorded;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use sseproof_http::Answer;
use sseproof_record::{Gauge, Published, Reading, RunEvent, RunEventKind, Target, Transcript};

use self::exchange::Asked;
pub(crate) use self::exchange::bytes;
use crate::testing::{Run, URL};
use crate::{
    Fault, Place, Profile, Record, Rule, Verdict, View, mutants, profiles, reference, rules,
};

/// The families of rules, each with its cases; those of profiles first.
const FILES: &[(&str, &str)] = &[
    ("openai-chat", include_str!("../tests/profiles/openai-chat.yaml")),
    ("openai-responses", include_str!("../tests/profiles/openai-responses.yaml")),
    ("anthropic-messages", include_str!("../tests/profiles/anthropic-messages.yaml")),
    ("mcp", include_str!("../tests/profiles/mcp.yaml")),
    ("graphql-sse", include_str!("../tests/profiles/graphql-sse.yaml")),
    ("mercure", include_str!("../tests/profiles/mercure.yaml")),
    ("stream", include_str!("../tests/rules/stream.yaml")),
    ("retry", include_str!("../tests/rules/retry.yaml")),
    ("response", include_str!("../tests/rules/response.yaml")),
    ("encode", include_str!("../tests/rules/encode.yaml")),
    ("transport", include_str!("../tests/rules/transport.yaml")),
    ("cors", include_str!("../tests/rules/cors.yaml")),
    ("delivery", include_str!("../tests/rules/delivery.yaml")),
    ("lifecycle", include_str!("../tests/rules/lifecycle.yaml")),
    ("proxy", include_str!("../tests/rules/proxy.yaml")),
    ("reconnect", include_str!("../tests/rules/reconnect.yaml")),
    ("resume", include_str!("../tests/rules/resume.yaml")),
    ("auth", include_str!("../tests/rules/auth.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Values that several cases share, for YAML aliases.
    #[serde(default, rename = "shared")]
    _shared: Value,
    /// The cases of each rule, by its name without the family.
    cases: BTreeMap<String, Vec<Case>>,
}

/// Exchanges and the verdict of the rule on them.
#[derive(Debug, Deserialize)]
struct Case {
    passes: Option<String>,
    fails: Option<String>,
    skips: Option<String>,
    inconclusive: Option<String>,
    /// The place of the first fault.
    at: Option<String>,
    /// The consequence of the first fault.
    consequence: Option<String>,
    /// How many faults there are; 1 if it is not given.
    count: Option<usize>,
    /// The URL of the target.
    target: Option<String>,
    mutant: Option<String>,
    exchanges: Option<Vec<Map<String, Value>>>,
    /// A member of the last exchange, and the values that it has one after another.
    #[serde(default)]
    each: BTreeMap<String, Vec<Value>>,
    #[serde(default)]
    events: Vec<Event>,
    /// Readings of gauges: when, in milliseconds, the name (`after/before` if the run waited for it
    /// to fall to `before`), the gauge, and the number or why there is none; memory in MiB.
    #[serde(default)]
    readings: Vec<(u64, String, Gauge, Value)>,
    /// Readings after each 25 of many clients that connect and disconnect.
    #[serde(default)]
    churn: BTreeMap<Gauge, Vec<Value>>,
    /// The data of events that were published and accepted, each with the milliseconds.
    #[serde(default)]
    publish: Vec<(u64, String)>,
    /// Without `exchanges`: the only one.
    #[serde(flatten)]
    exchange: Map<String, Value>,
}

/// An event of the run.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// Milliseconds since the start of the run, whose first exchange begins after a second.
    at: u64,
    #[serde(default)]
    name: String,
    what: RunEventKind,
}

impl Case {
    /// The exchanges of the case, once for each value of `each`.
    fn exchanges(&self) -> Vec<Vec<Asked>> {
        let asked = |members: &Map<String, Value>| -> Asked {
            serde_json::from_value(Value::Object(members.clone()))
                .unwrap_or_else(|error| panic!("{error}: {members:?}"))
        };
        let one = std::slice::from_ref(&self.exchange);
        let all = self.exchanges.as_deref().unwrap_or(one);
        assert!(self.exchanges.is_none() || self.exchange.is_empty(), "{:?}", self.exchange);
        let given: Vec<_> = all.iter().map(asked).collect();
        let with = |(name, value): (&String, &Value)| {
            let (last, before) = all.split_last().expect("an exchange");
            let mut last = last.clone();
            last.insert(name.clone(), value.clone());
            before.iter().chain([&last]).map(asked).collect()
        };
        let each =
            self.each.iter().flat_map(|(name, values)| values.iter().map(move |v| (name, v)));
        if self.each.is_empty() { vec![given] } else { each.map(with).collect() }
    }

    fn run(&self, exchanges: &[Asked], profile: Option<&Profile>) -> Transcript {
        let serve = match (&self.mutant, profile) {
            (Some(id), _) => mutant(id),
            (None, Some(profile)) => profile.answer,
            (None, None) => reference::answer,
        };
        let target = Target {
            url: self.target.as_deref().unwrap_or(URL).to_owned(),
            method: profile.map_or("GET", |profile| profile.method).to_owned(),
            profile: profile.map(|profile| profile.id.to_owned()),
        };
        let run = Run::against(serve, target);
        let run = exchanges.iter().fold(run, |run, asked| asked.added(run, profile));
        let run_events = self.happened().into_iter().map(|event| RunEvent {
            at: Duration::from_millis(event.at),
            scenario: String::new(),
            name: event.name,
            what: event.what,
        });
        Transcript { run_events: run_events.collect(), ..run.transcript }
    }

    /// The events of the run, in order.
    fn happened(&self) -> Vec<Event> {
        let reading = |at: u64, name: &str, gauge: Gauge, value: &Value| {
            let (name, against) = match name.split_once('/') {
                Some((name, against)) => (name, Some(against.to_owned())),
                None => (name, None),
            };
            let unit = if gauge == Gauge::Memory { 1 << 20 } else { 1 };
            let error = || value.as_str().unwrap_or_default().to_owned();
            let value = value.as_u64().map(|number| number * unit).ok_or_else(error);
            let what = RunEventKind::Reading(Reading { gauge, value, against });
            Event { at, name: name.to_owned(), what }
        };
        let mut happened = self.events.clone();
        happened.extend(self.publish.iter().map(|(at, data)| {
            let what = RunEventKind::Published { what: Published::of(data), answered_us: None };
            Event { at: *at, name: String::new(), what }
        }));
        for (at, name, gauge, value) in &self.readings {
            happened.push(reading(*at, name, *gauge, value));
        }
        for (gauge, values) in &self.churn {
            for (part, value) in (1..).zip(values) {
                let connections = part * 25;
                let what = RunEventKind::Churned { connections, streams: connections, last: 1 };
                happened.push(Event { at: part, name: "churn".to_owned(), what });
                happened.push(reading(part, "churn", *gauge, value));
            }
        }
        happened.sort_by_key(|event| event.at);
        happened
    }

    /// Each verdict that differs from the expected one, with that.
    fn wrong(&self, rule: &Rule, profile: Option<&Profile>) -> Vec<String> {
        let differ = |exchanges: Vec<Asked>| {
            let (found, expected) = self.compared(rule, &self.run(&exchanges, profile));
            let last = exchanges.last().filter(|_| !self.each.is_empty());
            let shown = last.map(|last| format!(" of {last:?}")).unwrap_or_default();
            (found != expected).then(|| format!("{found}\nexpected{shown}\n{expected}"))
        };
        self.exchanges().into_iter().filter_map(differ).collect()
    }

    /// The verdict in the format of the cases, and the expected one.
    fn compared(&self, rule: &Rule, transcript: &Transcript) -> (String, String) {
        let record = Record::new(transcript);
        let words = [
            ("passes", &self.passes),
            ("skips", &self.skips),
            ("inconclusive", &self.inconclusive),
            ("fails", &self.fails),
        ];
        let (word, text) = words
            .into_iter()
            .find_map(|(word, text)| Some((word, text.as_deref()?)))
            .expect("an expected verdict");
        let is_any = text == "any";
        let shown = |word: &str, note: String| {
            format!("{word}: {}", if is_any { "any" } else { note.as_str() })
        };
        let found = match (rule.judge)(&record) {
            Verdict::Pass(note) => shown("passes", note),
            Verdict::Skip(note) => shown("skips", note),
            Verdict::Inconclusive(note) => shown("inconclusive", note),
            Verdict::Fail(faults) => {
                let fault = &faults[0];
                let mut found = shown("fails", fault.message.clone());
                if !is_any || self.at.is_some() {
                    found += &format!("\nat: {}", describe(fault, &record));
                }
                if self.consequence.is_some() {
                    found += &format!("\nconsequence: {:?}", fault.consequence);
                }
                found + &format!("\ncount: {}", faults.len())
            }
        };
        let mut expected = format!("{word}: {text}");
        if word == "fails" {
            if !is_any || self.at.is_some() {
                expected += &format!("\nat: {}", self.at.as_deref().unwrap_or_default());
            }
            if self.consequence.is_some() {
                expected += &format!("\nconsequence: {:?}", self.consequence);
            }
            expected += &format!("\ncount: {}", self.count.unwrap_or(1));
        }
        (found, expected)
    }
}

fn mutant(id: &str) -> Answer {
    let found = mutants().find(|(_, mutant)| mutant.id == id);
    found.unwrap_or_else(|| panic!("{id}: no such mutant")).1.serve
}

/// The place of a fault: `event 2`, `start`, `end`, `offset 7`, `coded 7`, `wire 7`, `status`,
/// `exchange` or `header NAME`, after the number of the exchange if there are several.
fn describe(fault: &Fault, record: &Record<'_>) -> String {
    let view = record.exchange(fault.exchange).expect("an exchange");
    let number = if record.all().count() > 1 { &*format!("{} ", view.number) } else { "" };
    let place = match &fault.place {
        Place::Body(offset) => place_in(&view, *offset),
        Place::Header(name) => format!("header {name}"),
        Place::StatusLine => "status".to_owned(),
        Place::Exchange => "exchange".to_owned(),
        Place::Coded(offset) => format!("coded {offset}"),
        Place::Wire(offset) => format!("wire {offset}"),
    };
    format!("{number}{place}")
}

fn place_in(view: &View<'_>, offset: u64) -> String {
    match view.events().position(|(event, _)| event.span.start == offset) {
        Some(index) => format!("event {}", index + 1),
        None if offset == view.body_len() => "end".to_owned(),
        None if offset == 0 => "start".to_owned(),
        None => format!("offset {offset}"),
    }
}

fn file(text: &str) -> File {
    // The files are our own, and use aliases a lot.
    let options = serde_yaml::options! { budget: None };
    serde_yaml::from_str_with_options(text, options).unwrap_or_else(|error| panic!("{error}"))
}

/// The rules of a family, each with the first profile that adds it.
fn family(family: &str) -> impl Iterator<Item = (&'static Rule, Option<&'static Profile>)> {
    rules()
        .filter(move |rule| rule.id.split('/').next() == Some(family))
        .map(|rule| (rule, profiles().find(|profile| rule.is_in(profile.rules))))
}

#[test]
fn each_rule_gives_the_expected_verdict_on_each_case() {
    let mut wrong = Vec::new();
    for (name, text) in FILES {
        let cases = file(text).cases;
        for (rule, profile) in family(name) {
            let own = rule.id.rsplit('/').next().and_then(|name| cases.get(name));
            for (index, case) in own.into_iter().flatten().enumerate() {
                let id = rule.id;
                let found = case.wrong(rule, profile).into_iter();
                wrong.extend(found.map(|found| format!("{id}, case {}\n{found}", index + 1)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn each_rule_has_cases_that_it_passes_fails_and_skips() {
    for (name, text) in FILES {
        let cases = file(text).cases;
        let names: BTreeSet<_> =
            family(name).filter_map(|(rule, _)| rule.id.rsplit('/').next()).collect();
        assert_eq!(names, cases.keys().map(String::as_str).collect(), "{name}");
        for (rule, cases) in &cases {
            assert!(cases.iter().any(|case| case.passes.is_some()), "{name}/{rule} never passes");
            assert!(cases.iter().any(|case| case.fails.is_some()), "{name}/{rule} never fails");
            assert!(cases.iter().any(|case| case.skips.is_some()), "{name}/{rule} never skips");
        }
    }
}

/// A run shows the failures of these rules before it ends.
#[test]
fn a_final_failure_is_there_with_more_exchanges() {
    let fails = |rule: &Rule, transcript: &Transcript| {
        matches!((rule.judge)(&Record::new(transcript)), Verdict::Fail(_))
    };
    let mut changed = BTreeSet::new();
    for (name, text) in FILES {
        let cases = file(text).cases;
        for (rule, profile) in family(name).filter(|(rule, _)| crate::is_final(rule)) {
            let own = rule.id.rsplit('/').next().and_then(|name| cases.get(name));
            for case in own.into_iter().flatten() {
                for exchanges in case.exchanges() {
                    let whole = case.run(&exchanges, profile);
                    let mut part = whole.clone();
                    let fell = std::iter::from_fn(|| part.exchanges.pop().map(|_| part.clone()))
                        .any(|part| fails(rule, &part));
                    if fell && !fails(rule, &whole) {
                        changed.insert(rule.id);
                    }
                }
            }
        }
    }
    assert!(changed.is_empty(), "{changed:?}");
}
