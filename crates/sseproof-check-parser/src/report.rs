//! The results of a check of a parser, for people, for machines and for CI systems.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;
use sseproof_units::inert;

use crate::judge::Failure;
use sseproof_corpus::Event;

const GIVEN_UP: &str = "the adapter hung or answered other questions too often";
/// The start of the id of a kind of random streams.
pub(crate) const RANDOM: &str = "random/";
/// How many failed cases of a requirement are named for people, besides the first.
const ALSO: usize = 20;
/// The width of a list, in columns.
const WIDTH: usize = 79;

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
    /// The list of known failures, entry by entry.
    pub known: Vec<Known>,
}

/// One entry of the list of known failures, and what it covers in this run.
#[derive(Clone, Debug, Serialize)]
pub struct Known {
    /// The pattern, as the user wrote it.
    pub glob: String,
    /// Why these failures are accepted, in the user's words.
    pub reason: String,
    /// The requirements, and kinds of random streams, that fail and that the pattern matches.
    pub requirements: Vec<String>,
    /// Whether they pass now: that is an error, because the entry would hide the next failure.
    pub stale: bool,
    /// The last day on which the failures are accepted, as in `2027-01-31`.
    pub until: Option<String>,
    /// Whether that day is over, so that the failures count.
    pub is_over: bool,
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
    fn holds_in_one_piece(&self) -> bool {
        self.cases.iter().all(|case| case.was_asked)
            && self.failed().all(|(_, failure)| failure.only_when_cut)
    }

    pub(crate) fn failed(&self) -> impl Iterator<Item = (&Judged, &Failure)> {
        self.cases.iter().filter_map(|case| Some((case, case.failure.as_ref()?)))
    }

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

impl Chance {
    /// As in `random/hostile`.
    pub fn id(&self) -> String {
        format!("{RANDOM}{}", self.kind)
    }
}

impl Report {
    /// Whether all passes that is not known to fail, and no entry of that list is stale.
    pub fn is_right(&self) -> bool {
        let is_right = |(id, verdict): (String, Verdict)| {
            verdict == Verdict::Held || (verdict == Verdict::Broken && self.known(&id).is_some())
        };
        self.is_complete
            && self.results().all(is_right)
            && !self.known.iter().any(|entry| entry.stale)
    }

    /// Accepts the failures of what the pattern matches; the entry can get a last day.
    pub fn accept(
        &mut self,
        glob: String,
        reason: String,
        matches: impl Fn(&str) -> bool,
    ) -> &mut Known {
        let (mut broken, mut holds) = (Vec::new(), false);
        for (id, verdict) in self.results().filter(|(id, _)| matches(id)) {
            match verdict {
                Verdict::Broken => broken.push(id),
                Verdict::Held => holds = true,
                Verdict::Unknown => {}
            }
        }
        let stale = broken.is_empty() && holds;
        let entry =
            Known { glob, reason, requirements: broken, stale, until: None, is_over: false };
        self.known.push_mut(entry)
    }

    /// The entry in the list of known failures that covers this failure.
    pub(crate) fn known(&self, id: &str) -> Option<&Known> {
        let mut valid = self.known.iter().filter(|entry| !entry.is_over);
        valid.find(|entry| entry.requirements.iter().any(|of| of == id))
    }

    fn results(&self) -> impl Iterator<Item = (String, Verdict)> {
        let requirements = self.requirements.iter();
        let requirements = requirements.map(|of| (of.requirement.clone(), of.verdict()));
        let chance = self.chance.iter().map(|chance| {
            let verdict = match chance.failure {
                Some(_) => Verdict::Broken,
                None if self.is_complete => Verdict::Held,
                None => Verdict::Unknown,
            };
            (chance.id(), verdict)
        });
        requirements.chain(chance)
    }

    /// The cases that fail only if the stream is cut, except known failures.
    pub(crate) fn cut(&self) -> Vec<(&str, &Judged, &Failure)> {
        let new = self.requirements.iter().filter(|of| self.known(&of.requirement).is_none());
        let cases = new.flat_map(|of| of.failed().map(|(case, why)| (&*of.requirement, case, why)));
        cases.filter(|(_, _, failure)| failure.only_when_cut).collect()
    }

    /// As in `broken: 20 of 24 requirements passed`.
    pub(crate) fn verdict(&self) -> String {
        let (held, of) = (self.count(Verdict::Held), self.requirements.len());
        match (&self.no_answer, self.is_right(), self.is_complete) {
            (Some(_), ..) => "inconclusive: the parser gave no answer".to_owned(),
            (None, true, _) => format!("passed: {held} of {of} requirements"),
            (None, false, true) => format!("broken: {held} of {of} requirements passed"),
            (None, false, false) => format!("incomplete: {held} of {of} requirements passed"),
        }
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
    let has_cut = !report.cut().is_empty();
    cut(report, &mut out);
    for requirement in &report.requirements {
        if report.known(&requirement.requirement).is_none() {
            broken(requirement, &mut out);
        }
    }
    for entry in &report.known {
        let Known { glob, reason, requirements, stale, until, is_over } = entry;
        if *stale {
            let _ = writeln!(
                out,
                "✗ known failure {glob}: its requirements pass now; remove the entry\n"
            );
        }
        for id in requirements {
            let _ = match until {
                Some(until) if *is_over => {
                    writeln!(out, "✗ {id}: known to fail until {until}, which is over: {reason}")
                }
                Some(until) => writeln!(out, "– {id}: known to fail until {until}: {reason}"),
                None => writeln!(out, "– {id}: known to fail: {reason}"),
            };
        }
    }
    for chance in &report.chance {
        let Chance { kind, streams, seed, failure } = chance;
        if report.known(&chance.id()).is_some() {
            continue;
        }
        if let Some(failure) = failure {
            if failure.only_when_cut && has_cut {
                let _ = writeln!(
                    out,
                    "✗ random {kind} streams (seed {seed}): right in one piece, wrong when cut"
                );
                continue;
            }
            let cut = if failure.only_when_cut { ", right in one piece" } else { "" };
            let _ = writeln!(
                out,
                "✗ random {kind} streams (seed {seed}): the smallest that fails{cut}"
            );
            shown(failure, &mut out);
        } else {
            let _ = writeln!(out, "✓ {streams} random {kind} streams (seed {seed})");
        }
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let (held, of) = (report.count(Verdict::Held), report.requirements.len());
    let whole = report.requirements.iter().filter(|of| of.holds_in_one_piece()).count();
    let whole = match has_cut {
        true => format!(" ({whole} if no stream is cut)"),
        false => String::new(),
    };
    let cases: usize = report.requirements.iter().map(|requirement| requirement.cases.len()).sum();
    let _ = writeln!(
        out,
        "{held} of {of} requirements passed{whole}; {cases} cases, {} streams and chunkings",
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

/// One cause that would fail cases of many requirements comes before all of them.
fn cut(report: &Report, out: &mut String) {
    let failed = report.cut();
    let fed = |failure: &Failure| {
        (failure.chunks.len(), failure.chunks.iter().map(String::len).sum::<usize>())
    };
    let Some((id, case, failure)) = failed.iter().min_by_key(|(_, _, failure)| fed(failure)) else {
        return;
    };
    let cases: usize = report.requirements.iter().map(|requirement| requirement.cases.len()).sum();
    let _ = writeln!(
        out,
        "✗ right in one piece, wrong when cut: {} of {cases} cases\n  \
           The network may cut a stream anywhere, also within a line or a character.\n  \
           Keep what is not complete until the next chunk. The smallest case,\n  \
           {} of {id}:",
        failed.len(),
        case.case,
    );
    shown(failure, out);
    let mut by_requirement: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, ..) in &failed {
        *by_requirement.entry(id).or_default() += 1;
    }
    let requirements = by_requirement.iter().map(|(id, count)| format!("{id} ({count})"));
    let mut line = "  cases by requirement:".to_owned();
    for requirement in requirements {
        if line.len() + 1 + requirement.len() > WIDTH {
            let _ = writeln!(out, "{line}");
            line = "   ".to_owned();
        }
        let _ = write!(line, " {requirement}");
    }
    let _ = writeln!(out, "{line}\n");
}

/// The cases that fail in one piece too.
fn broken(requirement: &Requirement, out: &mut String) {
    let failed: Vec<_> =
        requirement.failed().filter(|(_, failure)| !failure.only_when_cut).collect();
    if failed.is_empty() {
        return;
    }
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

pub(crate) fn shown(failure: &Failure, out: &mut String) {
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
            let known = report.known(&requirement.requirement);
            let status = status(case.failure.as_ref(), case.was_asked, known);
            suite.add_test_case(TestCase::new(case.case.as_str(), status));
        }
        junit.add_test_suite(suite);
    }
    let mut suite = TestSuite::new("random streams");
    for chance in &report.chance {
        let known = report.known(&chance.id());
        let status = status(chance.failure.as_ref(), report.is_complete, known);
        suite.add_test_case(TestCase::new(chance.kind.as_str(), status));
    }
    junit.add_test_suite(suite);
    let mut suite = TestSuite::new("known failures");
    for entry in report.known.iter().filter(|entry| entry.stale) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_message("its requirements pass now: remove it from the list of known failures");
        suite.add_test_case(TestCase::new(entry.glob.as_str(), status));
    }
    if !suite.test_cases.is_empty() {
        junit.add_test_suite(suite);
    }
    match junit.to_string() {
        Ok(text) => inert(&text),
        // Only a writer can fail, and a string does not.
        Err(error) => unreachable!("a string takes every report: {error}"),
    }
}

fn status(failure: Option<&Failure>, was_asked: bool, known: Option<&Known>) -> TestCaseStatus {
    match failure {
        Some(_) if let Some(entry) = known => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("known to fail: {}", entry.reason));
            status
        }
        Some(failure) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let mut text = String::new();
            shown(failure, &mut text);
            let cut = if failure.only_when_cut { "only when cut: " } else { "" };
            status.set_message(format!("{cut}{}", failure.what)).set_description(text);
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
