//! The check of a parser: the corpus in every chunking, then random streams.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRunner};
use sseproof_codec::strategy::{self, chunked, hostile, well_formed};

use sseproof_corpus::{Event, LineEnds, Stream, corpus};

use crate::answer::{Answer, Fault, Parser};
use crate::judge::{Expected, Failure, judge};
use crate::report::{Chance, Judged, RANDOM, Report, Requirement, Speed};

/// The requirement of a stream that is read correctly, but not with other line ends.
const LINE_ENDS: &str = "whatwg-sse/line-ends";
/// How often a process may hang, or give no answer, before it gets no more questions.
const PATIENCE: u32 = 5;
/// How many streams are tried while a counterexample is made smaller.
const SHRINKS: u32 = 2000;
/// The streams that are timed: events of an LLM, and short ones with ids.
const TIMED_BYTES: usize = 1 << 20;
const TIMED_CHUNK: usize = 16 << 10;
/// How often and how long each is timed: on a busy machine, the fastest of many runs is the
/// undisturbed one.
const TIMES: u32 = 30;
const TIMED: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub streams: u32,
    pub seed: u64,
}

/// The kinds of random streams.
const KINDS: [&str; 2] = ["well-formed", "hostile"];

/// The ids of a check: requirements, and `random/` with the kind of random streams.
pub fn ids() -> impl Iterator<Item = String> {
    let requirements: BTreeSet<_> = corpus().iter().map(|case| case.requirement.clone()).collect();
    requirements.into_iter().chain(KINDS.map(|kind| format!("{RANDOM}{kind}")))
}

pub fn check(name: &str, parser: &mut dyn Parser, options: Options) -> Report {
    check_only(name, parser, options, &|_| true)
}

/// Checks only by some of the [`ids`].
pub fn check_only(
    name: &str,
    parser: &mut dyn Parser,
    options: Options,
    judges: &dyn Fn(&str) -> bool,
) -> Report {
    let mut asked = Asked { parser, questions: 0, reported: Reported::default(), faults: 0 };
    let no_answer = asked.greet();
    let mut by_requirement: BTreeMap<&str, Vec<Judged>> = BTreeMap::new();
    let mut respelled = Vec::new();
    let respells = judges(LINE_ENDS);
    for case in corpus() {
        let is_judged = judges(&case.requirement);
        if !is_judged && !respells {
            continue;
        }
        let judged = asked.judged(&case.as_written(), case.about.clone());
        // A case that fails as it is written shows nothing about line ends.
        let is_right = respells && judged.failure.is_none();
        if is_judged {
            by_requirement.entry(&case.requirement).or_default().push(judged);
        }
        for stream in is_right.then(|| case.respelled()).into_iter().flatten() {
            let about = format!(
                "Read correctly as written; the same stream with {}.",
                stream.line_ends.words()
            );
            respelled.push(asked.judged(&stream, about));
        }
    }
    // After the cases about line ends, which say more precisely what fails.
    if respells {
        by_requirement.entry(LINE_ENDS).or_default().extend(respelled);
    }
    let streams = [well_formed().boxed(), hostile().boxed()];
    let kinds = KINDS.into_iter().zip(streams);
    let kinds = kinds.filter(|(kind, _)| judges(&format!("{RANDOM}{kind}")));
    let chance = kinds.map(|(kind, streams)| Chance {
        kind: kind.to_owned(),
        streams: options.streams,
        seed: options.seed,
        failure: asked.chance(streams, options),
    });
    let chance: Vec<_> = chance.collect();
    let speed = asked.speed();
    let requirements = by_requirement.into_iter().map(|(id, cases)| {
        let requirement = id.to_owned();
        Requirement { requirement, cases }
    });
    Report {
        parser: name.to_owned(),
        questions: asked.questions,
        requirements: requirements.collect(),
        chance,
        no_answer,
        not_reported: asked.reported.missing(),
        is_complete: !asked.is_given_up(),
        speed,
        known: Vec::new(),
    }
}

/// The members that the parser reports in any answer.
#[derive(Default)]
struct Reported {
    event_type: bool,
    event_id: bool,
    last_event_id: bool,
    retry: bool,
}

impl Reported {
    fn note(&mut self, answer: &Answer) {
        self.event_type |= answer.events.iter().any(|event| event.event_type.is_some());
        self.event_id |= answer.events.iter().any(|event| event.last_event_id.is_some());
        self.last_event_id |= answer.last_event_id.is_some();
        self.retry |= answer.retry.is_some();
    }

    fn missing(&self) -> Vec<String> {
        let all = [
            (self.event_type, "the type of an event"),
            (self.event_id, "the last event ID of an event"),
            (self.last_event_id, "the last event ID at the end"),
            (self.retry, "the reconnection time"),
        ];
        all.iter()
            .filter(|(is_reported, _)| !is_reported)
            .map(|(_, name)| (*name).to_owned())
            .collect()
    }
}

struct Asked<'p> {
    parser: &'p mut dyn Parser,
    questions: u64,
    reported: Reported,
    faults: u32,
}

impl Asked<'_> {
    fn is_given_up(&self) -> bool {
        self.faults >= PATIENCE
    }

    /// Asks a question that every parser can answer, to distinguish an adapter that never answers
    /// from a parser that dies of a certain stream; the reason, if there is no answer.
    fn greet(&mut self) -> Option<String> {
        let mut why = None;
        for _ in 0..PATIENCE {
            self.questions += 1;
            match self.parser.parse(&[b"data: hello\n\n".to_vec()]) {
                Err(fault) if fault.is_of_the_process() => why = Some(fault.to_string()),
                _ => return None,
            }
        }
        self.faults = PATIENCE;
        why
    }

    fn ask(&mut self, chunks: &[Vec<u8>], expected: &Expected) -> Option<Failure> {
        self.questions += 1;
        let answer = self.parser.parse(chunks);
        match &answer {
            Ok(answer) => self.reported.note(answer),
            // A parser that dies of one stream is wrong; an adapter that hangs costs time.
            Err(Fault::Silent { .. } | Fault::Gone(_) | Fault::OutOfOrder { .. }) => {
                self.faults += 1;
            }
            Err(_) => {}
        }
        judge(chunks, expected, &answer)
    }

    fn judged(&mut self, stream: &Stream<'_>, about: String) -> Judged {
        let failure = self.stream(stream);
        let was_asked = !self.is_given_up() || failure.is_some();
        Judged { case: stream.id(), about, was_asked, failure }
    }

    /// The failure in the first cuts that show one, the simplest cuts first.
    fn stream(&mut self, stream: &Stream<'_>) -> Option<Failure> {
        let Stream { case, line_ends, bytes } = stream;
        let expected = Expected {
            events: case.events.clone(),
            last_event_id: case.last_event_id.clone(),
            retry: case.retry,
        };
        let all_halves = match line_ends {
            LineEnds::AsWritten => 1..bytes.len(),
            // The cuts below have all that another line end can change.
            _ => 0..0,
        };
        let halves = all_halves.map(|at| vec![at]);
        let each_byte = (1..bytes.len()).collect();
        for cuts in [vec![]].into_iter().chain(halves).chain(stream.cuts()).chain([each_byte]) {
            if self.is_given_up() {
                return None;
            }
            if let Some(failure) = self.ask(&stream.chunks(&cuts), &expected) {
                // The first cuts are none.
                return Some(Failure { only_when_cut: !cuts.is_empty(), ..failure });
            }
        }
        None
    }

    /// The smallest random stream that fails.
    fn chance(&mut self, streams: BoxedStrategy<Vec<u8>>, options: Options) -> Option<Failure> {
        if self.is_given_up() {
            return None;
        }
        let mut runner = TestRunner::new(Config {
            cases: options.streams,
            failure_persistence: None,
            max_shrink_iters: SHRINKS,
            rng_algorithm: RngAlgorithm::ChaCha,
            rng_seed: RngSeed::Fixed(options.seed),
            ..Config::default()
        });
        let asked = RefCell::new(self);
        let result = runner.run(&chunked(streams), |case| {
            let mut asked = asked.borrow_mut();
            if asked.is_given_up() || asked.ask(&case.chunks, &expect(&case)).is_none() {
                return Ok(());
            }
            Err(TestCaseError::fail("it fails"))
        });
        let asked = asked.into_inner();
        match result {
            // Parsed again, since the search returns only the stream.
            Err(TestError::Fail(_, case)) => {
                let expected = expect(&case);
                let failure = asked.ask(&case.chunks, &expected)?;
                let only_when_cut = case.chunks.len() > 1
                    && !asked.is_given_up()
                    && asked.ask(&[case.chunks.concat()], &expected).is_none();
                Some(Failure { only_when_cut, ..failure })
            }
            _ => None,
        }
    }

    fn speed(&mut self) -> Vec<Speed> {
        let token = |n: usize| {
            format!(
                "data: {{\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" token{n}\"}},\"finish_reason\":null}}]}}\n\n"
            )
        };
        let tick = |n: usize| format!("id: {n}\ndata: 42\n\n");
        let streams: [(&str, &dyn Fn(usize) -> String); 2] = [("tokens", &token), ("ticks", &tick)];
        let mut speeds = Vec::new();
        for (stream, event) in streams {
            let mut bytes = Vec::new();
            for n in 0.. {
                bytes.extend(event(n).into_bytes());
                if bytes.len() >= TIMED_BYTES {
                    break;
                }
            }
            let chunks: Vec<_> = bytes.chunks(TIMED_CHUNK).map(<[u8]>::to_vec).collect();
            let mut spent = Duration::ZERO;
            let mut fastest: Option<Duration> = None;
            for _ in 0..TIMES {
                if self.is_given_up() || spent > TIMED {
                    break;
                }
                let answer = self.parser.parse(&chunks).ok();
                let Some(nanos) = answer.and_then(|answer| answer.nanos).filter(|&nanos| nanos > 0)
                else {
                    break;
                };
                let time = Duration::from_nanos(nanos);
                spent += time;
                fastest = Some(fastest.map_or(time, |fastest| fastest.min(time)));
            }
            if let Some(time) = fastest {
                let seconds = time.as_secs_f64();
                let mib_per_second = bytes.len() as f64 / f64::from(1 << 20) / seconds;
                speeds.push(Speed { stream: stream.to_owned(), mib_per_second });
            }
        }
        speeds
    }
}

fn expect(case: &strategy::Case) -> Expected {
    let expected = &case.expected;
    let events = expected.events.iter().map(|event| Event {
        data: event.data.to_string(),
        event_type: Some(event.event_type.to_string()),
        last_event_id: Some(event.last_event_id.to_string()),
    });
    Expected {
        events: events.collect(),
        last_event_id: expected.last_event_id.clone(),
        retry: expected.reconnection_time,
    }
}
