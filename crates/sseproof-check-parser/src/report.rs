//! The results of a check of a parser, for people, for machines and for CI systems.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::answer::Event;
use crate::judge::Failure;

const GIVEN_UP: &str = "the adapter hung or answered other questions too often";
/// How many failed cases of a requirement are named for people, besides the first.
const ALSO: usize = 20;

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command, for a process.
    pub parser: String,
    /// How many streams it was given, counting each chunking.
    pub questions: u64,
    /// In the order of the names.
    pub requirements: Vec<Requirement>,
    /// The results of random streams.
    pub chance: Vec<Chance>,
    /// Why the adapter gave no answer at all, if so: then nothing is known of the parser.
    pub no_answer: Option<String>,
    /// The members that it never reported, and that were not judged.
    #[serde(rename = "not_told")]
    pub not_reported: Vec<String>,
    pub is_complete: bool,
    pub speed: Vec<Speed>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    /// As in `whatwg-sse/bom-at-start`.
    pub requirement: String,
    pub cases: Vec<Judged>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// As in `bom/at-start`.
    pub case: String,
    pub about: String,
    /// Whether it was asked in every chunking, or up to its failure.
    pub was_asked: bool,
    /// With the simplest cuts that show it.
    pub failure: Option<Failure>,
}

/// The results of random streams.
#[derive(Clone, Debug, Serialize)]
pub struct Chance {
    pub kind: String,
    pub streams: u32,
    pub seed: u64,
    pub failure: Option<Failure>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    /// `tokens` of an LLM, or `ticks` with ids.
    pub stream: String,
    /// The best of many runs, with chunks of 16 KiB.
    pub mib_per_second: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Held,
    Broken,
    /// No case fails, but not all were asked.
    Unknown,
}

impl Requirement {
    pub fn verdict(&self) -> Verdict {
        if self.cases.iter().any(|case| case.failure.is_some()) {
            Verdict::Broken
        } else if self.cases.iter().all(|case| case.was_asked) {
            Verdict::Held
        } else {
            Verdict::Unknown
        }
    }
}

impl Report {
    pub fn is_right(&self) -> bool {
        self.is_complete
            && self.count(Verdict::Held) == self.requirements.len()
            && self.chance.iter().all(|chance| chance.failure.is_none())
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.requirements.iter().filter(|requirement| requirement.verdict() == verdict).count()
    }
}

pub fn text(report: &Report) -> String {
    let mut out = format!("parser: {}\n\n", report.parser);
    if let Some(why) = &report.no_answer {
        let _ = writeln!(
            out,
            "✗ inconclusive: no answer to {} questions\n  {}\n\nspecs/parser-protocol.md describes the answers of an adapter",
            report.questions,
            why.replace('\n', "\n    ")
        );
        return out;
    }
    for requirement in &report.requirements {
        if requirement.verdict() == Verdict::Broken {
            broken(requirement, &mut out);
        }
    }
    for chance in &report.chance {
        let Chance { kind, streams, seed, failure } = chance;
        if let Some(failure) = failure {
            let _ = writeln!(out, "✗ random {kind} streams (seed {seed}): the smallest that fails");
            shown(failure, &mut out);
        } else {
            let _ = writeln!(out, "✓ {streams} random {kind} streams (seed {seed})");
        }
    }
    out.push('\n');
    let (held, of) = (report.count(Verdict::Held), report.requirements.len());
    let cases: usize = report.requirements.iter().map(|requirement| requirement.cases.len()).sum();
    let _ = writeln!(
        out,
        "{held} of {of} requirements passed; {cases} cases, {} streams and chunkings",
        report.questions
    );
    if !report.not_reported.is_empty() {
        let _ = writeln!(
            out,
            "not judged, since the parser does not report it: {}",
            report.not_reported.join(", ")
        );
    }
    if !report.is_complete {
        let _ = writeln!(out, "incomplete: {GIVEN_UP}");
    }
    for Speed { stream, mib_per_second } in &report.speed {
        let _ = writeln!(out, "speed by the parser's clock, {stream}: {mib_per_second:.1} MiB/s");
    }
    out
}

fn broken(requirement: &Requirement, out: &mut String) {
    let failed: Vec<_> =
        requirement.cases.iter().filter_map(|case| Some((case, case.failure.as_ref()?))).collect();
    let id = &requirement.requirement;
    let _ = writeln!(out, "✗ {id} ({} of {} cases)", failed.len(), requirement.cases.len());
    if let Some((case, failure)) = failed.first() {
        let _ = writeln!(out, "  {}: {}", case.case, case.about);
        shown(failure, out);
    }
    let others: Vec<_> = failed.iter().skip(1).map(|(case, _)| case.case.as_str()).collect();
    let (named, rest) = others.split_at(others.len().min(ALSO));
    if !named.is_empty() {
        let more =
            if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let _ = writeln!(out, "    also {}{more}", named.join(", "));
    }
    out.push('\n');
}

fn shown(failure: &Failure, out: &mut String) {
    let chunks: Vec<_> = failure.chunks.iter().map(|chunk| format!("b\"{chunk}\"")).collect();
    let _ = writeln!(out, "    fed       {}", chunks.join(" | "));
    let _ = writeln!(out, "    expected  {}", events(&failure.expected));
    if let Some(got) = &failure.got {
        let _ = writeln!(out, "    got       {}", events(got));
    }
    let _ = writeln!(out, "    {}", failure.what.replace('\n', "\n      "));
}

fn events(events: &[Event]) -> String {
    if events.is_empty() {
        return "no event".to_owned();
    }
    let event = |event: &Event| {
        let mut text = format!("{:?}", event.data);
        match event.event_type.as_deref() {
            None | Some("message") => {}
            Some(name) => {
                let _ = write!(text, " type {name:?}");
            }
        }
        match event.last_event_id.as_deref() {
            None | Some("") => {}
            Some(id) => {
                let _ = write!(text, " id {id:?}");
            }
        }
        text
    };
    events.iter().map(event).collect::<Vec<_>>().join(", ")
}

/// Writes the report as JUnit XML: a suite for each requirement, a case for each of the corpus.
pub fn junit(report: &Report) -> String {
    let mut junit = quick_junit::Report::new("sseproof check-parser");
    if let Some(why) = &report.no_answer {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(why.as_str());
        let mut suite = TestSuite::new("the adapter");
        suite.add_test_case(TestCase::new("answers", status));
        junit.add_test_suite(suite);
    }
    for requirement in &report.requirements {
        let mut suite = TestSuite::new(requirement.requirement.as_str());
        for case in &requirement.cases {
            let status = status(case.failure.as_ref(), case.was_asked);
            suite.add_test_case(TestCase::new(case.case.as_str(), status));
        }
        junit.add_test_suite(suite);
    }
    let mut suite = TestSuite::new("random streams");
    for chance in &report.chance {
        let status = status(chance.failure.as_ref(), report.is_complete);
        suite.add_test_case(TestCase::new(chance.kind.as_str(), status));
    }
    junit.add_test_suite(suite);
    match junit.to_string() {
        Ok(text) => text,
        // Only a writer can fail, and a string does not.
        Err(error) => unreachable!("a string takes every report: {error}"),
    }
}

fn status(failure: Option<&Failure>, was_asked: bool) -> TestCaseStatus {
    match failure {
        Some(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let mut text = String::new();
            shown(failure, &mut text);
            status.set_message(failure.what.as_str()).set_description(text);
            status
        }
        None if was_asked => TestCaseStatus::success(),
        None => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(GIVEN_UP);
            status
        }
    }
}
