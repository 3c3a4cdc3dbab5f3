//! Tests of rules: plays plans without a network, and builds transcripts.

use std::time::Duration;

use sseproof_http::{Bytes, Plan, Request, Visit};
use sseproof_http::{Script, Step, Then};
use sseproof_record::{
    BodyLimits, Chunk, Close, Closed, End, Ending, Exchange, ResponseReader, Role, RunEvent,
    RunEventKind, Side, Target, Transcript,
};

use crate::{Record, Rule, Verdict};

pub(crate) const URL: &str = "http://server/events";

pub(crate) struct Run {
    transcript: Transcript,
    now: Duration,
    serve: sseproof_http::Answer,
}

impl Run {
    pub(crate) fn against(serve: sseproof_http::Answer) -> Self {
        let target = Target { url: URL.to_owned(), method: "GET".to_owned(), profile: None };
        let transcript = Transcript { target, ..Transcript::default() };
        Self { transcript, now: Duration::from_secs(1), serve }
    }

    pub(crate) fn aimed_at(mut self, target: Target) -> Self {
        self.transcript.target = target;
        self
    }

    /// Sends the request, disconnects after at most that time, and continues after that.
    pub(crate) fn visit(self, request: Request, stay: Duration) -> Self {
        let exchange = self.visited(request, self.now, stay, false);
        self.push(exchange)
    }

    /// The next exchange, if the request is sent at that time; another answer may be open.
    fn visited(
        &self,
        request: Request,
        started: Duration,
        stay: Duration,
        is_second: bool,
    ) -> Exchange {
        let plan = self.answered(&request, started, is_second);
        self.played(&plan, request, started, stay)
    }

    /// The response to the request at that time; another answer may be open.
    pub(crate) fn answered(&self, request: &Request, now: Duration, is_second: bool) -> Plan {
        (self.serve)(&Visit {
            request,
            now,
            earlier: self.transcript.exchanges.len() as u64,
            open: usize::from(is_second),
            beside: 0,
            blocked: 0,
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

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    /// When exchange `of` began.
    pub(crate) fn started(&self, of: usize) -> Duration {
        self.transcript.exchanges[of - 1].started
    }

    /// Subscribes as an `EventSource` does for a second.
    pub(crate) fn subscribe(self) -> Self {
        self.visit(Request::subscribe(URL), Duration::from_secs(1))
    }

    /// Adds an event of the run at that time.
    pub(crate) fn happened_at(mut self, at: Duration, name: &str, what: RunEventKind) -> Self {
        let (scenario, name) = (String::new(), name.to_owned());
        self.transcript.run_events.push(RunEvent { at, scenario, name, what });
        self
    }

    pub(crate) fn edit(mut self, edit: impl FnOnce(&mut Exchange)) -> Self {
        edit(self.transcript.exchanges.last_mut().expect("an exchange"));
        self
    }

    /// Gives the last exchange this body, which arrives with its first piece.
    pub(crate) fn with_body(self, bytes: impl Into<Bytes>) -> Self {
        self.edit(|last| {
            let at = last.body.first().map_or(last.started, |chunk| chunk.at);
            last.body = vec![Chunk { at, bytes: bytes.into() }];
        })
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// The last id that the server gave out, empty if there is none.
    pub(crate) fn last_id(&self) -> String {
        self.with_record(|record| {
            let ids = record.all().flat_map(|view| view.events().map(|(event, _)| event));
            ids.last().map(|event| event.last_event_id.to_string()).unwrap_or_default()
        })
    }

    pub(crate) fn with_record<T>(&self, ask: impl FnOnce(&Record<'_>) -> T) -> T {
        ask(&Record::new(&self.transcript))
    }

    pub(crate) fn judge(&self, rule: &Rule) -> Verdict {
        (rule.judge)(&Record::new(&self.transcript))
    }

    pub(crate) fn passes_or_skips(&self, rule: &Rule) {
        let verdict = self.judge(rule);
        let fine = matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_));
        assert!(fine, "{} neither passes nor skips: {verdict:?}", rule.id);
    }
}

/// A run of one subscription to a stream with exactly this body, which the server then ends
/// cleanly.
pub(crate) fn body(bytes: &[u8]) -> Run {
    Run::against(crate::reference::answer).subscribe().edit(|exchange| {
        let at = exchange.head.as_ref().expect("headers").at;
        exchange.body = vec![Chunk { at, bytes: Bytes::from(bytes) }];
        exchange.end = End { at: at + Duration::from_secs(1), how: Ending::Complete };
    })
}

/// Gives the exchange its part in a comparison.
pub(crate) fn called(exchange: &mut Exchange, name: &str) {
    name.clone_into(&mut exchange.name);
    let role = name.parse().ok();
    exchange.role = role;
    exchange.via = matches!(role, Some(Role::Compared(Side::Through, _)));
    exchange.judged = false;
}

/// Plays a plan as a lab server and a recording client would, each step taking no time.
pub(crate) fn play(
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
