//! Requests whose streams end: each arrival asks, reads to the end, and records its times.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use sseproof_codec::Decoder;
use sseproof_http::http1::Body;
use sseproof_load_model::schedule::{self, Part};
use sseproof_load_model::{Counter, ErrorKind, LoadError, Metric, Rate, Requests};
use tokio::io::AsyncReadExt as _;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::dial::{Dialled, Sent, dial, never_opened};
use super::drive::begin;
use super::stream::reading_failed;
use super::tokens;
use super::worker::{Worker, decoder};
use crate::clock::nanoseconds;
use crate::wire::content;
use crate::wire::inflate::Gzip;

/// How long an answer may pause.
const STALLED: Duration = Duration::from_secs(60);
const KEPT: usize = 4096;

pub(crate) async fn play(worker: &Rc<Worker>, plan: &Requests, part: Part) {
    let start = worker.job.start;
    let end = start + plan.lasting;
    let under_way = Rc::new(Cell::new(0_u64));
    match plan.rate {
        Rate::Open { .. } => {
            for (number, at) in
                schedule::requests(plan.rate, plan.lasting, worker.job.plan.seed, part)
            {
                let due = start + at;
                if due > Instant::now() {
                    sleep_until(due).await;
                }
                let (worker, under_way) = (Rc::clone(worker), Rc::clone(&under_way));
                under_way.update(|count| count + 1);
                spawn_local(async move {
                    once(&worker, number, due).await;
                    under_way.update(|count| count - 1);
                });
            }
            sleep_until(end).await;
        }
        Rate::Closed { clients, think } => {
            for client in (0..clients).filter(|client| part.has(*client)) {
                let (worker, under_way) = (Rc::clone(worker), Rc::clone(&under_way));
                under_way.update(|count| count + 1);
                spawn_local(async move {
                    while Instant::now() < end {
                        once(&worker, client, Instant::now()).await;
                        sleep(think).await;
                    }
                    under_way.update(|count| count - 1);
                });
            }
        }
    }
    // An answer that never ends has its own timeout.
    while under_way.get() > 0 {
        sleep(Duration::from_millis(5)).await;
    }
}

struct Answer<'a> {
    worker: &'a Worker,
    plan: &'a Requests,
    intended: Instant,
    asked: Instant,
    answered: Instant,
    first_event: Option<Instant>,
    first: Option<Instant>,
    last: Option<Instant>,
    longest: Option<u64>,
    tokens: u64,
    ended: Option<Ending>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Failed,
}

async fn once(worker: &Rc<Worker>, number: u64, intended: Instant) {
    let sseproof_load_model::Workload::Request(plan) = &worker.job.plan.workload else { return };
    begin(worker, intended);
    let sent = Sent::default();
    let dialled = match dial(worker, number, "", intended, &sent).await {
        Ok(dialled) => dialled,
        Err(failure) => {
            worker.recorder.borrow_mut().error(&failure.error);
            return never_opened(worker, Some(failure.error.kind()), sent.get(), sent.get());
        }
    };
    worker.recorder.borrow_mut().open += 1;
    let (asked, answered) = (dialled.asked, dialled.answered);
    let mut answer = Answer {
        worker,
        plan,
        intended,
        asked,
        answered,
        first_event: None,
        first: None,
        last: None,
        longest: None,
        tokens: 0,
        ended: None,
    };
    let failed = answer.read(dialled).await;
    worker.recorder.borrow_mut().open -= 1;
    match failed {
        Some(error) => worker.recorder.borrow_mut().error(&error),
        None => answer.account(),
    }
}

impl Answer<'_> {
    async fn read(&mut self, dialled: Dialled) -> Option<LoadError> {
        let Dialled { mut socket, head, mut rest, answered, .. } = dialled;
        let (mut body, mut gzip) = (head.body, head.gzip());
        let mut decoder = decoder();
        let mut buffer = std::mem::take(&mut rest);
        loop {
            match self.take(&mut decoder, &mut body, gzip.as_deref_mut(), &buffer) {
                Ok(false) => {}
                Ok(true) => break,
                Err(error) => return Some(error),
            }
            buffer.clear();
            buffer.reserve(16 * 1024);
            let read = match timeout(STALLED, socket.read_buf(&mut buffer)).await {
                Err(_) => {
                    return Some(LoadError::new(
                        ErrorKind::Other,
                        "no byte of the answer for a minute",
                    ));
                }
                Ok(Err(error)) => return Some(reading_failed(&error)),
                Ok(Ok(length)) => length,
            };
            let wire = socket.on_wire(read);
            self.worker.recorder.borrow_mut().add(Counter::Bytes, wire);
            if read == 0 {
                if body != Body::UntilClose {
                    return Some(LoadError::new(
                        ErrorKind::Truncated,
                        "closed before the end of the body",
                    ));
                }
                if let Some(Err(error)) = gzip.map(|gzip| gzip.end()) {
                    return Some(error);
                }
                break;
            }
        }
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.count(Counter::Ended);
        recorder.time(Metric::Stream, nanoseconds(answered.elapsed()));
        drop(recorder);
        let mut idle = self.worker.idle.borrow_mut();
        if head.keeps && idle.len() < KEPT {
            idle.push(socket);
        }
        None
    }

    /// Takes bytes; whether the body is over.
    fn take(
        &mut self,
        decoder: &mut Decoder,
        body: &mut Body,
        gzip: Option<&mut Gzip>,
        bytes: &[u8],
    ) -> Result<bool, LoadError> {
        let now = Instant::now();
        content::events(body, gzip, decoder, bytes, |event| {
            self.event(now, event.event_type.as_ref(), event.data.as_ref());
        })
    }

    fn event(&mut self, now: Instant, event: &str, data: &str) {
        let mut recorder = self.worker.recorder.borrow_mut();
        recorder.count(Counter::Events);
        // Answers have no sequence numbers, so none can be missing.
        recorder.count(Counter::Unsequenced);
        recorder.events += 1;
        if self.first_event.is_none() {
            self.first_event = Some(now);
            recorder.time(Metric::FirstEvent, nanoseconds(now - self.asked));
        }
        match tokens::part(self.plan.protocol, event, data) {
            tokens::Part::Token => {
                recorder.count(Counter::Tokens);
                self.tokens += 1;
                match self.last.replace(now) {
                    None => self.first = Some(now),
                    // They came in one read: the gap was lost on the way, and is not zero.
                    Some(last) if last == now => recorder.count(Counter::Unresolved),
                    Some(last) => {
                        let gap = nanoseconds(now - last);
                        self.longest = self.longest.max(Some(gap));
                        recorder.time(Metric::Itl, gap);
                    }
                }
            }
            tokens::Part::End if self.ended.is_none() => self.ended = Some(Ending::Whole),
            tokens::Part::Failure => self.ended = Some(Ending::Failed),
            tokens::Part::End | tokens::Part::Other => {}
        }
    }

    fn account(&self) {
        let mut recorder = self.worker.recorder.borrow_mut();
        match self.ended {
            Some(Ending::Failed) => {
                let text = "the answer ended with an error event";
                return recorder.error(&LoadError::new(ErrorKind::Answer, text));
            }
            None if self.plan.protocol != sseproof_load_model::Protocol::Plain => {
                let text = "the answer ended without an end event, such as [DONE]";
                return recorder.error(&LoadError::new(ErrorKind::Truncated, text));
            }
            _ => {}
        }
        recorder.count(Counter::Completed);
        let taken = nanoseconds(self.intended.elapsed());
        recorder.time(Metric::EndToEnd, taken);
        let mut seen = vec![
            (Metric::EndToEnd, taken),
            (Metric::Head, nanoseconds(self.answered - self.asked)),
        ];
        seen.extend(self.first_event.map(|at| (Metric::FirstEvent, nanoseconds(at - self.asked))));
        // Each gap must meet the objective of gaps; a single token has none that could fail.
        seen.push((Metric::Itl, self.longest.unwrap_or_default()));
        if let (Some(first), Some(last)) = (self.first, self.last) {
            let ttft = nanoseconds(first - self.intended);
            recorder.time(Metric::Ttft, ttft);
            seen.push((Metric::Ttft, ttft));
            if self.tokens > 1 {
                let tpot = nanoseconds(last - first) / (self.tokens - 1);
                if last > first {
                    recorder.time(Metric::Tpot, tpot);
                }
                seen.push((Metric::Tpot, tpot));
            }
        }
        // An answer without a token meets no objective on tokens.
        let good =
            self.plan.objectives.iter().all(|(metric, limit)| {
                seen.iter().any(|(seen, time)| seen == metric && time <= limit)
            });
        if good {
            recorder.count(Counter::Good);
        }
    }
}
