//! What a check of a parser found, for people, for machines and for CI systems.

use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::answer::Event;
use crate::judge::Failure;

/// Why something was not asked.
const GIVEN_UP: &str = "the adapter hung or got out of step too often";
/// How many more cases of a requirement are named for people.
const ALSO: usize = 20;

/// What a check of a parser found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was checked: the command, for a process.
    pub parser: String,
    /// How many streams it was given, each chunking counted.
    pub questions: u64,
    /// What it was judged by, in the order of the names.
    pub requirements: Vec<Requirement>,
    /// What streams made by chance have shown.
    pub chance: Vec<Chance>,
    /// Why there was not a single answer, if there was none: then it is the adapter that is wrong.
    pub no_answer: Option<String>,
    /// What it never told of, and was not judged by.
    pub not_told: Vec<String>,
    /// Whether everything was asked.
    pub is_complete: bool,
    /// How fast it is by its own clock.
    pub speed: Vec<Speed>,
}

/// A requirement, and the cases of the corpus that are about it.
#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    /// As in `whatwg-sse/bom-at-start`.
    pub requirement: String,
    /// Its cases.
    pub cases: Vec<Judged>,
}

/// A case of the corpus, judged.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// As in `bom/at-start`.
    pub case: String,
    /// Why the case is there.
    pub about: String,
    /// Whether it was asked in every chunking, or up to its failure.
    pub was_asked: bool,
    /// The simplest way to cut the stream in which it was read wrongly.
    pub failure: Option<Failure>,
}

/// What streams made by chance have shown.
#[derive(Clone, Debug, Serialize)]
pub struct Chance {
    /// What kind of streams.
    pub kind: String,
    /// How many.
    pub streams: u32,
    /// Where chance began.
    pub seed: u64,
    /// The smallest that was read wrongly.
    pub failure: Option<Failure>,
}

/// A speed.
#[derive(Clone, Debug, Serialize)]
pub struct Speed {
    /// What the events are: `tokens` of an LLM, or `ticks` with ids.
    pub stream: String,
    /// The best of many, with chunks of 16 KiB.
    pub mib_per_second: f64,
}

/// How a requirement fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every case of it was read rightly.
    Held,
    /// A case was not.
    Broken,
    /// Nothing was read wrongly, but not all was asked.
    Unknown,
}

impl Requirement {
    /// How the requirement fared.
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
    /// Whether the parser was right in everything, and asked everything.
    pub fn is_right(&self) -> bool {
        self.is_complete
            && self.count(Verdict::Held) == self.requirements.len()
            && self.chance.iter().all(|chance| chance.failure.is_none())
    }

    /// How many requirements fared so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.requirements.iter().filter(|requirement| requirement.verdict() == verdict).count()
    }
}

/// Writes the report for people.
pub fn text(report: &Report) -> String {
    let mut out = format!("parser: {}\n\n", report.parser);
    if let Some(why) = &report.no_answer {
        let _ = writeln!(
            out,
            "✗ not one answer, asked {} times, so nothing is known of the parser\n  {}\n\nspecs/parser-protocol.md says what an adapter has to write",
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
            let _ = writeln!(
                out,
                "✗ {kind} streams made by chance (seed {seed}): the smallest that fails"
            );
            shown(failure, &mut out);
        } else {
            let _ = writeln!(out, "✓ {streams} {kind} streams made by chance (seed {seed})");
        }
    }
    out.push('\n');
    let (held, of) = (report.count(Verdict::Held), report.requirements.len());
    let cases: usize = report.requirements.iter().map(|requirement| requirement.cases.len()).sum();
    let _ = writeln!(
        out,
        "{held} of {of} requirements hold; {cases} cases, {} streams and chunkings",
        report.questions
    );
    if !report.not_told.is_empty() {
        let _ = writeln!(
            out,
            "not judged, since the parser does not tell: {}",
            report.not_told.join(", ")
        );
    }
    if !report.is_complete {
        let _ = writeln!(out, "not everything was asked: {GIVEN_UP}");
    }
    for Speed { stream, mib_per_second } in &report.speed {
        let _ = writeln!(out, "speed by its own clock, {stream}: {mib_per_second:.1} MiB/s");
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
        suite.add_test_case(TestCase::new("answers at all", status));
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
    let mut suite = TestSuite::new("streams made by chance");
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
