//! For the tests of rules: plays plans without a network, and builds transcripts.

use std::time::Duration;

use sseproof_http::{Answer, Plan, Request, Script, Step, Then, Visit};
use sseproof_record::{
    BodyLimits, Chunk, Close, Closed, End, Ending, Exchange, ResponseReader, Target, Transcript,
};

use crate::{Record, reference};

pub(crate) const URL: &str = "http://server/events";

/// A run, whose next exchange begins at `now`.
pub(crate) struct Run {
    pub(crate) transcript: Transcript,
    pub(crate) now: Duration,
    serve: Answer,
}

impl Run {
    pub(crate) fn against(serve: Answer, target: Target) -> Self {
        let transcript = Transcript { target, ..Transcript::default() };
        Self { transcript, now: Duration::from_secs(1), serve }
    }

    /// The response to the request at that time; another answer may be open.
    pub(crate) fn answered(&self, request: &Request, now: Duration, is_second: bool) -> Plan {
        (self.serve)(&Visit {
            request,
            secure: false,
            now,
            earlier: self.transcript.exchanges.len() as u64,
            open: usize::from(is_second),
            beside: 0,
            blocked: 0,
            cancelled: 0,
        })
    }

    /// The next exchange, with a server that plays this plan.
    pub(crate) fn played(
        &self,
        plan: &Plan,
        request: Request,
        started: Duration,
        stay: Duration,
    ) -> Exchange {
        play(plan, self.transcript.exchanges.len() + 1, request, started, stay)
    }

    /// Adds the exchange, and continues after it.
    pub(crate) fn push(mut self, exchange: Exchange) -> Self {
        self.now = self.now.max(exchange.end.at + Duration::from_millis(1));
        self.transcript.exchanges.push(exchange);
        self
    }

    /// The last id that the server gave out, empty if there is none.
    pub(crate) fn last_id(&self) -> String {
        let record = Record::new(&self.transcript);
        let ids = record.all().flat_map(|view| view.events().map(|(event, _)| event));
        ids.last().map(|event| event.last_event_id.to_string()).unwrap_or_default()
    }
}

/// A subscription to a stream with exactly this body, which ends so.
pub(crate) fn body(bytes: &[u8], how: Ending) -> Exchange {
    let (request, started) = (Request::subscribe(URL), Duration::from_secs(1));
    let visit = Visit {
        request: &request,
        secure: false,
        now: started,
        earlier: 0,
        open: 0,
        beside: 0,
        blocked: 0,
        cancelled: 0,
    };
    let plan = reference::answer(&visit);
    let exchange = play(&plan, 1, request, started, Duration::from_secs(1));
    let body = Chunk::of(started, bytes).into_iter().collect();
    Exchange { body, end: End { at: started + Duration::from_secs(1), how }, ..exchange }
}

/// Plays a plan as a lab server and a recording client would, each step taking no time.
fn play(
    plan: &Plan,
    number: usize,
    request: Request,
    started: Duration,
    stay: Duration,
) -> Exchange {
    let script = Script::http1(plan.clone(), &request);
    let mut reader = ResponseReader::new(&request.method, BodyLimits::NONE);
    let mut exchange = Exchange::begun(number, request, started);
    exchange.phases.connected = Some(started);
    exchange.phases.sent = Some(started);
    let leave = started + stay;
    let mut at = started;
    for step in script {
        match step {
            Step::Send(bytes) | Step::Body { bytes, .. } => {
                exchange.wire.extend(Chunk::of(at, bytes.clone()));
                reader.feed(&mut exchange, at, &bytes);
            }
            // A client with the whole response disconnects.
            _ if reader.is_over() => break,
            Step::Wait(time) => at += time,
            Step::Hold | Step::Follow { .. } | Step::End(Then::KeepAlive) => at = leave,
            Step::Publish { .. } | Step::Restart { .. } => {}
            Step::End(Then::Close) => reader.closed(&mut exchange, Closed { at, how: Close::Fin }),
            Step::End(Then::Reset) => {
                reader.closed(&mut exchange, Closed { at, how: Close::Reset });
            }
        }
        if at >= leave {
            break;
        }
    }
    reader.end(&mut exchange, leave, Ending::Disconnected);
    exchange
}
