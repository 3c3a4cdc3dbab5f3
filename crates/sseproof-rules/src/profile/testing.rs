//! For the tests of profiles: the cases in `tests/profiles/`, which are exchanges written by hand
//! with the expected verdict of a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use sseproof_record::{Action, Answer, Bytes, Framing, Headers, Plan, Request, Target};

use super::{Profile, profiles};
use crate::testing::Run;
use crate::{Fault, Finding, Place, Record, Rule, Status, Verdict, View};

/// The families of rules, each with its cases.
const FILES: &[(&str, &str)] = &[
    ("openai-chat", include_str!("../../tests/profiles/openai-chat.yaml")),
    ("openai-responses", include_str!("../../tests/profiles/openai-responses.yaml")),
    ("anthropic-messages", include_str!("../../tests/profiles/anthropic-messages.yaml")),
    ("mcp", include_str!("../../tests/profiles/mcp.yaml")),
    ("graphql-sse", include_str!("../../tests/profiles/graphql-sse.yaml")),
    ("mercure", include_str!("../../tests/profiles/mercure.yaml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Bodies of requests: the responses of the reference break no rule, and those of each mutant only
    /// its own rule.
    #[serde(default)]
    asks: Vec<String>,
    /// Values that several cases share, for YAML aliases.
    #[serde(default, rename = "shared")]
    _shared: serde_json::Value,
    /// The cases of each rule, by its name without the family.
    cases: BTreeMap<String, Vec<Case>>,
}

/// Exchanges and the verdict of the rule on them. Without `exchanges` it is one stream.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    passes: Option<String>,
    fails: Option<String>,
    skips: Option<String>,
    inconclusive: Option<String>,
    /// The place of the fault: `event 2`, `start`, `end`, `status`, `exchange` or `header NAME`, after
    /// the number of the exchange if there are several.
    #[serde(default)]
    at: String,
    target: Option<String>,
    #[serde(default)]
    asked: String,
    /// The body of the response, an event stream; the blank line at its end is added.
    #[serde(default)]
    stream: String,
    #[serde(default)]
    ended: Ended,
    #[serde(default)]
    exchanges: Vec<Asked>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// The method and the target, if they differ from those of the profile.
    ask: Option<String>,
    headers: BTreeMap<String, String>,
    body: String,
    /// The status; 200 if it is not given, and 0 if there is no response.
    status: Option<u16>,
    /// The media type: that of an event stream if it is not given.
    media: Option<String>,
    fields: BTreeMap<String, String>,
    answer: String,
    stream: String,
    /// More of the stream, each piece with the milliseconds before it.
    late: Vec<(u64, String)>,
    ended: Ended,
    /// The maximum time before the client disconnects, in seconds.
    stay: Option<u64>,
    /// The number of the exchange beside which this one begins, a second after it.
    beside: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Ended {
    /// The server ended the response.
    #[default]
    Whole,
    Left,
    /// The server closed the connection in the middle of the body.
    Broken,
}

impl Asked {
    fn request(&self, profile: &Profile) -> Request {
        let standard = format!("{} {}", profile.method, profile.path);
        let ask = self.ask.as_deref().unwrap_or(&standard);
        let (method, path) = ask.split_once(' ').unwrap_or((ask, profile.path));
        let mut request = Request::subscribe(format!("http://server{path}"));
        request.method = method.to_owned();
        for (name, value) in &self.headers {
            request.headers.set(name, value.as_str());
        }
        request.body = self.body.as_str().into();
        request
    }

    fn plan(&self) -> Plan {
        let media = self.media.as_deref().unwrap_or("text/event-stream");
        let mut headers: Headers = [("Content-Type", media)].into_iter().collect();
        for (name, value) in &self.fields {
            headers.set(name, value.as_str());
        }
        let status = self.status.unwrap_or(200);
        let mut actions = vec![Action::Head { status, headers, framing: Framing::Chunked }];
        let body = if self.stream.is_empty() { self.answer.clone() } else { ended(&self.stream) };
        actions.extend([Action::Write(Bytes::from(body)), Action::Flush]);
        for (wait, text) in &self.late {
            let wait = Action::Wait(Duration::from_millis(*wait));
            actions.extend([wait, Action::Write(Bytes::from(ended(text))), Action::Flush]);
        }
        actions.push(match self.ended {
            Ended::Whole => Action::Finish,
            Ended::Left => Action::Hold,
            Ended::Broken => Action::Close,
        });
        Plan { actions }
    }
}

/// The text with a blank line at its end.
fn ended(text: &str) -> String {
    format!("{}\n\n", text.trim_end_matches('\n'))
}

impl Case {
    fn run(&self, profile: &Profile) -> Run {
        let one = Asked {
            body: self.asked.clone(),
            stream: self.stream.clone(),
            ended: self.ended,
            ..Asked::default()
        };
        let target = Target {
            url: self.target.clone().unwrap_or_else(|| "http://server/".to_owned()),
            method: profile.method.to_owned(),
            profile: Some(profile.id.to_owned()),
        };
        let run = Run::against(profile.answer).aimed_at(target);
        let exchanges = if self.exchanges.is_empty() { &[one][..] } else { &self.exchanges };
        exchanges.iter().fold(run, |run, asked| {
            let stay = Duration::from_secs(asked.stay.unwrap_or(1));
            let plan = asked.plan();
            let run = run.answered(asked.request(profile), &plan, asked.beside, stay);
            if asked.status == Some(0) { run.edit(|last| last.head = None) } else { run }
        })
    }

    /// The verdict in the format of the cases, and the expected one.
    fn compared(&self, rule: &Rule, profile: &Profile) -> (String, String) {
        let run = self.run(profile);
        let found = match run.judge(rule) {
            Verdict::Pass(note) => format!("passes: {note}"),
            Verdict::Skip(note) => format!("skips: {note}"),
            Verdict::Inconclusive(note) => format!("inconclusive: {note}"),
            Verdict::Fail(faults) => run.with_record(|record| {
                let described: Vec<_> =
                    faults.iter().map(|fault| describe(fault, record)).collect();
                described.join("\n")
            }),
        };
        let words = [
            ("passes", &self.passes),
            ("skips", &self.skips),
            ("inconclusive", &self.inconclusive),
            ("fails", &self.fails),
        ];
        let expected = words.into_iter().find_map(|(word, text)| {
            let at = if word == "fails" { format!("\nat: {}", self.at) } else { String::new() };
            Some(format!("{word}: {}{at}", text.as_ref()?))
        });
        (found, expected.unwrap_or_default())
    }
}

fn describe(fault: &Fault, record: &Record<'_>) -> String {
    let view = record.exchange(fault.exchange).expect("an exchange");
    let number = if record.all().count() > 1 { &*format!("{} ", view.number) } else { "" };
    let place = match &fault.place {
        Place::Body(offset) => place_in(&view, *offset),
        Place::Header(name) => format!("header {name}"),
        Place::StatusLine => "status".to_owned(),
        Place::Exchange => "exchange".to_owned(),
        other => format!("{other:?}"),
    };
    format!("fails: {}\nat: {number}{place}", fault.message)
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
fn family(family: &str) -> Vec<(&'static Rule, &'static Profile)> {
    let mut known = BTreeSet::new();
    profiles()
        .flat_map(|profile| profile.rules.iter().map(move |rule| (*rule, profile)))
        .filter(|(rule, _)| rule.id.split('/').next() == Some(family) && known.insert(rule.id))
        .collect()
}

#[test]
fn each_rule_gives_the_expected_verdict_on_each_case() {
    let mut wrong = Vec::new();
    for (name, text) in FILES {
        let cases = file(text).cases;
        for (rule, profile) in family(name) {
            let own = rule.id.rsplit('/').next().and_then(|name| cases.get(name));
            for (index, case) in own.into_iter().flatten().enumerate() {
                let (found, expected) = case.compared(rule, profile);
                if found != expected {
                    let id = rule.id;
                    wrong.push(format!("{id}, case {}\n{found}\nexpected\n{expected}", index + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn each_rule_has_cases_that_it_passes_fails_and_skips() {
    for (name, text) in FILES {
        let cases = file(text).cases;
        let rules = family(name);
        let names: BTreeSet<_> =
            rules.iter().filter_map(|(rule, _)| rule.id.rsplit('/').next()).collect();
        assert_eq!(names, cases.keys().map(String::as_str).collect(), "{name}");
        for (rule, cases) in &cases {
            assert!(cases.iter().any(|case| case.passes.is_some()), "{name}/{rule} never passes");
            assert!(cases.iter().any(|case| case.fails.is_some()), "{name}/{rule} never fails");
            assert!(cases.iter().any(|case| case.skips.is_some()), "{name}/{rule} never skips");
        }
    }
}

/// The profiles whose responses need no earlier requests, each with its requests.
fn asked() -> impl Iterator<Item = (&'static Profile, Vec<String>)> {
    FILES.iter().filter_map(|(name, text)| {
        let asks = file(text).asks;
        let profile = profiles().find(|profile| profile.id == *name)?;
        (!asks.is_empty()).then_some((profile, asks))
    })
}

/// A run that sends each of these bodies, and reads the responses to their ends.
fn run(profile: &Profile, serve: Answer, bodies: &[String]) -> Run {
    bodies.iter().fold(Run::against(serve), |run, body| {
        let asked = Asked { body: body.clone(), ..Asked::default() };
        run.visit(asked.request(profile), Duration::from_secs(60))
    })
}

fn failing(profile: &Profile, serve: Answer, bodies: &[String]) -> Vec<&'static str> {
    let run = run(profile, serve, bodies);
    let record = Record::new(run.transcript());
    let fails = |rule: &Rule| Finding::of(rule, &record).status == Status::Fail;
    profile.rules.iter().filter(|rule| fails(rule)).map(|rule| rule.id).collect()
}

#[test]
fn the_references_break_no_rule() {
    for (profile, bodies) in asked() {
        let run = run(profile, profile.answer, &bodies);
        for rule in profile.rules {
            run.passes_or_skips(rule);
        }
    }
}

#[test]
fn each_mutant_fails_its_rule_and_no_other() {
    for (profile, bodies) in asked() {
        for rule in profile.rules {
            for mutant in rule.mutants {
                let failing = failing(profile, mutant.serve, &bodies);
                assert_eq!(failing, [rule.id], "{}", mutant.id);
            }
        }
    }
}
