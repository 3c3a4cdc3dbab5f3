//! A recording as a server: each request gets the recorded response to the most similar request.

use std::time::Duration;

use crate::{Ending, Exchange, Transcript};
use sseproof_http::{Action, Bytes, Framing, Plan, Request};

/// The similarity of a request to a recorded one, from the best.
const LIKENESSES: [fn(&Request, &Request) -> bool; 3] = [is_same, is_akin, has_method];

/// A recording that is replayed.
///
/// A request gets the first exchange that was not played yet and was asked for in the same way
/// (method, target, version and fields, but for the value of `Last-Event-ID`); else one with the
/// same method and version that also has, or also lacks, a `Last-Event-ID`.
/// Where all of these were played, the last of them is played again.
#[derive(Clone, Debug)]
pub struct Tape {
    exchanges: Vec<Exchange>,
    played: Vec<bool>,
}

impl Tape {
    pub fn new(transcript: Transcript) -> Self {
        // An exchange without a connection has nothing to play.
        let exchanges: Vec<_> = transcript
            .exchanges
            .into_iter()
            .filter(|exchange| {
                !matches!(exchange.end.how, Ending::Unresolved(_) | Ending::Unconnected(_))
            })
            .collect();
        let played = vec![false; exchanges.len()];
        Self { exchanges, played }
    }

    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// The number of the exchange that answers the request, and how to play it.
    pub fn answer(&mut self, request: &Request) -> Option<(usize, Plan)> {
        let index = self.choose(request)?;
        self.played[index] = true;
        let exchange = &self.exchanges[index];
        Some((exchange.number, plan(exchange)))
    }

    fn choose(&self, request: &Request) -> Option<usize> {
        let like = |alike: fn(&Request, &Request) -> bool, played: bool| {
            let mut found = (0..self.exchanges.len()).filter(move |&index| {
                self.played[index] == played && alike(&self.exchanges[index].request, request)
            });
            if played { found.next_back() } else { found.next() }
        };
        LIKENESSES[..2]
            .iter()
            .find_map(|alike| like(*alike, false))
            .or_else(|| LIKENESSES.iter().find_map(|alike| like(*alike, true)))
            .or_else(|| like(has_method, false))
    }
}

fn is_same(recorded: &Request, request: &Request) -> bool {
    is_akin(recorded, request)
        && recorded.target() == request.target()
        && fields(recorded) == fields(request)
}

fn is_akin(recorded: &Request, request: &Request) -> bool {
    has_method(recorded, request)
        && recorded.version == request.version
        && recorded.last_event_id().is_some() == request.last_event_id().is_some()
}

fn has_method(recorded: &Request, request: &Request) -> bool {
    recorded.method == request.method
}

/// The fields that distinguish requests: not those that a client adds itself, nor redacted ones.
fn fields(request: &Request) -> Vec<(String, Option<&Bytes>)> {
    let own = ["host", "content-length", "user-agent", "authorization", "cookie"];
    let mut fields: Vec<_> = request
        .headers
        .0
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), &header.value))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| {
            let is_id = name == "last-event-id";
            (name, (!is_id).then_some(value))
        })
        .collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

fn plan(exchange: &Exchange) -> Plan {
    let sent = exchange.phases.sent.or(exchange.phases.connected).unwrap_or(exchange.started);
    let mut clock = sent;
    let mut actions = Vec::new();
    let mut wait = |actions: &mut Vec<Action>, at: Duration| {
        if at > clock {
            actions.push(Action::Wait(at - clock));
            clock = at;
        }
    };
    // The frames of HTTP/2 make no sense on another connection.
    let has_wire = exchange.request.version.is_http1() && !exchange.wire.is_empty();
    if !has_wire {
        if let Some(head) = &exchange.head {
            wait(&mut actions, head.at);
            let mut headers = head.headers.clone();
            headers.remove("transfer-encoding");
            headers.remove("content-length");
            headers.remove("connection");
            let framing =
                if exchange.request.method == "HEAD" { Framing::None } else { Framing::Chunked };
            actions.push(Action::Head { status: head.status, headers, framing });
        }
        for chunk in exchange.came() {
            wait(&mut actions, chunk.at);
            actions.extend([Action::Write(chunk.bytes.clone()), Action::Flush]);
        }
    }
    for chunk in exchange.wire.iter().filter(|_| has_wire) {
        wait(&mut actions, chunk.at);
        actions.push(Action::Raw(chunk.bytes.clone()));
    }
    match &exchange.end.how {
        Ending::Reset => {
            wait(&mut actions, exchange.end.at);
            actions.push(Action::Reset);
        }
        Ending::Complete if !has_wire => actions.push(Action::Finish),
        Ending::Complete | Ending::Truncated | Ending::Malformed(_) => {
            wait(&mut actions, exchange.end.at);
            actions.push(Action::Close);
        }
        // The server would have continued; the recording does not show how.
        _ => actions.push(Action::Hold),
    }
    Plan { actions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chunk, End};

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn exchange(number: usize, request: Request) -> Exchange {
        Exchange {
            phases: crate::Phases { sent: Some(at(10)), ..crate::Phases::default() },
            wire: vec![
                Chunk { at: at(30), bytes: Bytes::from("HTTP/1.1 200 OK\r\n\r\n") },
                Chunk { at: at(80), bytes: Bytes::from("data: x\n\n") },
            ],
            end: End { at: at(90), how: Ending::Reset },
            ..Exchange::begun(number, request, at(0))
        }
    }

    fn get() -> Request {
        Request::subscribe("http://h/s")
    }

    #[test]
    fn bytes_and_times_and_the_end_are_played() {
        let mut tape =
            Tape::new(Transcript { exchanges: vec![exchange(1, get())], ..Transcript::default() });
        let (_, plan) = tape.answer(&get()).unwrap();
        let expected = [
            Action::Wait(at(20)),
            Action::Raw(Bytes::from("HTTP/1.1 200 OK\r\n\r\n")),
            Action::Wait(at(50)),
            Action::Raw(Bytes::from("data: x\n\n")),
            Action::Wait(at(10)),
            Action::Reset,
        ];
        assert_eq!(plan.actions, expected);
    }

    #[test]
    fn each_request_gets_the_next_answer_to_one_like_it() {
        let old = Request { version: sseproof_http::Version::Http10, ..get() };
        let options = Request { method: "OPTIONS".to_owned(), ..get() };
        let recorded =
            [get(), old.clone(), get().with("Last-Event-ID", "7"), get(), options.clone()];
        let exchanges = recorded.into_iter().enumerate().map(|(n, one)| exchange(n + 1, one));
        let mut tape =
            Tape::new(Transcript { exchanges: exchanges.collect(), ..Transcript::default() });
        let mut ask = |request: &Request| tape.answer(request).map(|(number, _)| number);
        assert_eq!(ask(&get().with("Host", "other").with("User-Agent", "x")), Some(1));
        assert_eq!(ask(&get().with("Last-Event-ID", "9")), Some(3), "another id");
        assert_eq!(ask(&old), Some(2));
        assert_eq!(ask(&old), Some(2), "the other one was asked in another version");
        assert_eq!(ask(&get()), Some(4), "the old one was asked in another way");
        assert_eq!(ask(&old), Some(2));
        assert_eq!(ask(&get()), Some(4), "the last of its like, again");
        assert_eq!(ask(&options), Some(5));
        assert_eq!(ask(&Request { method: "PUT".to_owned(), ..get() }), None);
    }
}
