//! The failures of a run that are final, shown while it goes on.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sseproof_record::{Secrets, Transcript};
use sseproof_report::{Judged, Progress, terminal};
use sseproof_rules::{Level, Record, Rule, Status, is_final, judge};

use super::options::Chosen;
use crate::args::Check;
use crate::known::{self, Known};
use crate::progress::Line;
use crate::screen;

/// How often the record is judged: that must not take the run's time.
const JUDGE: Duration = Duration::from_secs(1);
/// A record with larger bodies is only judged at the end.
const LARGE: u64 = 1 << 20;

/// Returns the failures that are errors and that no later exchange changes, without secrets.
pub(super) type Failures<'f> = &'f (dyn Fn(&Transcript) -> Vec<Judged> + Sync);

pub(super) struct Live<'f> {
    line: Line,
    failures: Failures<'f>,
    judged: Option<Instant>,
    shown: BTreeSet<String>,
}

impl<'f> Live<'f> {
    pub(super) fn new(
        total: usize,
        usual: Duration,
        is_quiet: bool,
        failures: Failures<'f>,
    ) -> Self {
        let line = Line::new(total, is_quiet);
        line.update(|progress| progress.usual = Some(usual));
        Self { line, failures, judged: None, shown: BTreeSet::new() }
    }

    pub(super) fn update(&self, update: impl FnOnce(&mut Progress)) {
        self.line.update(update);
    }

    /// Shows the new failures of the record so far.
    pub(super) fn kept(&mut self, transcript: &Transcript) {
        let is_early = self.judged.is_some_and(|judged| judged.elapsed() < JUDGE);
        let size: u64 = transcript.exchanges.iter().map(|exchange| exchange.body_len()).sum();
        if is_early || size > LARGE || !screen::shows_progress() {
            return;
        }
        let mut failures = (self.failures)(transcript);
        failures.retain(|failure| self.shown.insert(failure.rule.clone()));
        let width = screen::columns();
        let lines: Vec<_> =
            failures.iter().map(|failure| terminal::found(failure, width)).collect();
        self.line.show(&lines);
        self.judged = Some(Instant::now());
    }
}

/// The errors that no later exchange changes.
pub(super) fn final_failures(
    arguments: &Check,
    chosen: &Chosen,
    known: Option<&[Known]>,
    transcript: &Transcript,
    secrets: impl FnOnce() -> Secrets,
) -> Vec<Judged> {
    let today = known::today();
    let valid = |one: &&Known| !one.entry.is_over(today);
    let known = known.into_iter().flatten().filter(valid);
    let is_known = |rule: &str| known.clone().any(|one| one.matcher.is_match(rule));
    let is_error =
        |level: Level| level == Level::Must || arguments.strict && level == Level::Should;
    let asked = |rule: &Rule| {
        let level = rule.requirement().level;
        is_final(rule) && is_error(level) && chosen.has(rule.id) && !is_known(rule.id)
    };
    let mut found = judge(&Record::new(transcript), asked);
    found.retain(|finding| finding.status == Status::Fail);
    if found.is_empty() {
        return Vec::new();
    }
    let secrets = secrets();
    let messages = found.iter_mut().flat_map(|finding| &mut finding.evidence);
    messages.for_each(|evidence| evidence.message = secrets.text(&evidence.message));
    found.into_iter().map(Judged::from).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use sseproof_http::{Request, Version};
    use sseproof_record::{Chunk, Exchange, Head};

    use super::*;
    use crate::args::{Arguments, Command};
    use crate::known::RULES;

    /// The early failures of a stream with a byte that is not UTF-8 and an id with a NUL.
    fn early(arguments: &[&str], known: &[Known]) -> Vec<String> {
        let arguments = Arguments::parse_from(["sseproof", "check"].iter().chain(arguments));
        let Command::Check(arguments) = arguments.command else { panic!("a check") };
        let chosen = Chosen::new(&arguments.only, &arguments.skip).expect("a choice");
        let mut transcript = Transcript::default();
        let mut exchange = Exchange::begun(1, Request::subscribe("http://h/s"), Duration::ZERO);
        exchange.head = Some(Head {
            at: Duration::ZERO,
            version: Version::Http11,
            status: 200,
            headers: [("Content-Type", "text/event-stream")].into_iter().collect(),
        });
        exchange.body =
            Chunk::of(Duration::ZERO, &b"data: \xE9\n\nid: a\0\n\n"[..]).into_iter().collect();
        transcript.exchanges.push(exchange);
        let found = final_failures(&arguments, &chosen, Some(known), &transcript, Secrets::default);
        found.into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn a_run_shows_errors_early_and_nothing_that_is_known_or_not_chosen() {
        assert_eq!(early(&[], &[]), ["stream/utf8", "stream/id-nul"]);
        assert_eq!(early(&["--only", "stream/id-*"], &[]), ["stream/id-nul"]);
        assert_eq!(early(&["--only", "response/cache-control"], &[]), [""; 0]);
        let strict = ["--only", "response/cache-control", "--strict"];
        assert_eq!(early(&strict, &[]), ["response/cache-control"]);
        let until = |day: &str| {
            let text = format!("stream/utf8: {{ reason: x, until: {day} }}");
            known::parse("known.yaml", &text, &RULES).expect("a list")
        };
        assert_eq!(early(&[], &until("9999-12-31")), ["stream/id-nul"]);
        assert_eq!(early(&[], &until("2001-01-31")), ["stream/utf8", "stream/id-nul"]);
    }
}
