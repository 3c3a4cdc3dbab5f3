//! The questions that rules ask of the record of a case.

use std::time::Duration;

use sseproof_http::Request;

use crate::protocol::{Event, Failed};
use crate::record::How;
use crate::{
    Asked, Call, Can, CaseRecord, ClientRecord, Connect, Fault, Hello, Judgement, Kind, Pace, What,
};

/// Why a client is not asked what comes after a stream.
pub(crate) const STAYS_AWAY: &str =
    "the client does not reconnect after a stream, as it declares in `retriesOn`";

/// The record of one case, with the client that it is about.
#[derive(Clone, Copy)]
pub struct View<'a> {
    record: &'a ClientRecord,
    case: &'a CaseRecord,
    /// The connection that is looked at, if it is only one of the case.
    only: Option<Only<'a>>,
}

#[derive(Clone, Copy)]
struct Only<'a> {
    id: u64,
    /// Its path; what it is redirected to is below it.
    path: &'a str,
}

/// Something that happened, with the index of its entry and its time.
#[derive(Clone, Copy, Debug)]
pub struct Moment<T> {
    pub entry: usize,
    pub at: Duration,
    pub what: T,
}

impl<'a> View<'a> {
    pub fn new(record: &'a ClientRecord, case: &'a CaseRecord) -> Self {
        Self { record, case, only: None }
    }

    pub fn client(&self) -> &'a Hello {
        &self.record.client
    }

    pub fn can(&self, can: Can) -> bool {
        self.client().can.contains(&can)
    }

    /// Whether it reconnects by intent after that end, as its adapter declares.
    pub fn declares(&self, end: &str) -> bool {
        self.client().declares(end)
    }

    /// Whether it reconnects by intent neither after the end of a stream nor after a cut, as its
    /// adapter declares.
    pub fn stays_away(&self) -> bool {
        let is_free = self.client().kind == Kind::Resilient;
        is_free && !self.declares("end") && !self.declares("network")
    }

    /// The verdict on a client that did not reconnect after this end: a fault, unless its policy is
    /// another one.
    pub fn absent(&self, end: &str, message: impl Into<String>) -> Judgement {
        if self.client().kind == Kind::Resilient && !self.declares(end) {
            let why =
                format!("the client does not reconnect by intent: `retriesOn` has no `{end}`");
            return Judgement::Skipped(why);
        }
        Fault::missing(message).into()
    }

    pub fn pace(&self) -> Pace {
        self.record.pace
    }

    pub fn case(&self) -> &'a str {
        &self.case.case
    }

    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Moment<&'a What>> + use<'a> {
        let view = *self;
        let entries = self.case.entries.iter().enumerate();
        entries
            .map(|(entry, found)| Moment { entry, at: found.at(), what: &found.what })
            .filter(move |seen| view.only.is_none_or(|only| view.is_of(only, seen.what)))
    }

    /// The connections of the case, which differ in their paths, each with all that belongs to it.
    pub fn connections(&self) -> Vec<(&'a Connect, Self)> {
        let entries = self.entries();
        entries
            .filter_map(|seen| match seen.what {
                What::Connect { id, connect } => {
                    let only = Only { id: *id, path: path(&connect.url) };
                    Some((connect, Self { only: Some(only), ..*self }))
                }
                _ => None,
            })
            .collect()
    }

    fn is_of(&self, only: Only<'_>, what: &What) -> bool {
        let is_own = |request: &Request| {
            let rest = request.path().strip_prefix(only.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match what {
            What::Connect { id, .. } | What::Close { id } | What::Called { id, .. } => {
                *id == only.id
            }
            What::Asked(asked) => is_own(&asked.request),
            What::Ended(ended) => self.case.entries.iter().any(|entry| match &entry.what {
                What::Asked(asked) => asked.number == ended.number && is_own(&asked.request),
                _ => false,
            }),
            What::Away | What::Back | What::Memory(_) | What::Handshake(_) => true,
        }
    }

    pub fn requests(&self) -> Vec<Moment<&'a Asked>> {
        self.picked(|what| match what {
            What::Asked(asked) => Some(asked),
            _ => None,
        })
    }

    /// The handshakes of TLS: complete, or with an error.
    pub fn handshakes(&self) -> Vec<Moment<Option<&'a str>>> {
        self.picked(|what| match what {
            What::Handshake(error) => Some(error.as_deref()),
            _ => None,
        })
    }

    /// Whether the client was neither seen by the server, nor reported anything of it.
    pub fn is_mute(&self) -> bool {
        self.requests().is_empty() && self.events().is_empty() && self.handshakes().is_empty()
    }

    /// The request with that number, from 1.
    pub fn request(&self, number: usize) -> Option<Moment<&'a Asked>> {
        self.requests().into_iter().nth(number.checked_sub(1)?)
    }

    /// The end of the response to the request with that number.
    pub fn end(&self, number: u64) -> Option<Moment<How>> {
        let mut ends = self.picked(|what| match what {
            What::Ended(ended) if ended.number == number => Some(ended.how),
            _ => None,
        });
        ends.drain(..).next()
    }

    /// How long the client waited after the response to the request with that number; at the entry of
    /// its next request.
    pub fn pause(&self, number: usize) -> Option<Moment<Duration>> {
        let end = self.end(number as u64)?;
        let next = self.request(number + 1)?;
        Some(Moment { entry: next.entry, at: next.at, what: next.at.saturating_sub(end.at) })
    }

    pub fn events(&self) -> Vec<Moment<&'a Event>> {
        self.calls(|call| match call {
            Call::Event(event) => Some(event),
            _ => None,
        })
    }

    pub fn errors(&self) -> Vec<Moment<&'a Failed>> {
        self.calls(|call| match call {
            Call::Error(failed) => Some(failed),
            _ => None,
        })
    }

    pub fn opens(&self) -> Vec<Moment<()>> {
        self.calls(|call| matches!(call, Call::Open(_)).then_some(()))
    }

    pub fn closes(&self) -> Vec<Moment<()>> {
        self.calls(|call| matches!(call, Call::Closed(_)).then_some(()))
    }

    /// When the client was asked to close, by a command.
    pub fn close_command(&self) -> Option<Moment<()>> {
        let close = |what: &What| matches!(what, What::Close { .. }).then_some(());
        self.picked(close).into_iter().next()
    }

    /// The calls that `pick` takes.
    pub fn calls<T>(&self, pick: impl Fn(&'a Call) -> Option<T>) -> Vec<Moment<T>> {
        self.picked(|what| match what {
            What::Called { call, .. } => pick(call),
            _ => None,
        })
    }

    fn picked<T>(&self, pick: impl Fn(&'a What) -> Option<T>) -> Vec<Moment<T>> {
        let entries = self.entries();
        entries
            .filter_map(|seen| {
                Some(Moment { entry: seen.entry, at: seen.at, what: pick(seen.what)? })
            })
            .collect()
    }
}

/// The path of a URL, without its query.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |start| &after_scheme[start..]);
    path.split(['?', '#']).next().unwrap_or(path)
}
