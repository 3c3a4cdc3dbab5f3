//! Requests and their responses, compared with those of other clients and with the same at other
//! times.

use serde_json::Value;

use super::traffic::{
    asked, beginnings, has_sessions, is_foreign, is_in_session, is_initialize, is_request,
    is_response, replies, session, version,
};
use crate::delivery::figures::shown;
use crate::timing::{BLOCKED, MUCH_LONGER};
use crate::{Place, Record, View};

/// A request, and what answers it.
pub(super) struct Call<'r> {
    pub(super) view: View<'r>,
    pub(super) asked: Value,
    /// Its result or error.
    pub(super) outcome: Option<Value>,
}

/// The requests that count as those of others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Those of other sessions.
    Sessions,
    /// All others: each is of another client.
    Requests,
    /// The others of the same session.
    OfSession,
}

pub(super) struct Calls<'r> {
    pub(super) noun: &'static str,
    pub(super) calls: Vec<Call<'r>>,
    pub(super) others: Others,
    /// Whether a server may end a stream before its response.
    may_poll: bool,
}

/// Whether it is a request of a client that has begun.
pub(super) fn is_call(record: &Record<'_>, view: &View<'_>) -> bool {
    is_request(view) && !is_initialize(view) && !is_foreign(view) && is_in_session(record, view)
}

impl<'r> Call<'r> {
    fn of(view: View<'r>) -> Self {
        let response = replies(&view).into_iter().find(|(_, message)| is_response(message));
        Self { asked: asked(&view), outcome: response.map(|(_, message)| outcome(&message)), view }
    }

    pub(super) fn id(&self) -> &Value {
        &self.asked["id"]
    }

    fn asks_the_same(&self, other: &Self, others: Others) -> bool {
        let parts =
            ["/method", "/params/name", "/params/arguments", "/params/protocolVersion", TOKEN];
        // Calls of one session that are open at the same time must have different tokens.
        let parts = parts.iter().filter(|at| others != Others::OfSession || **at != TOKEN);
        parts.into_iter().all(|at| self.asked.pointer(at) == other.asked.pointer(at))
    }

    pub(super) fn is_served(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.get("code").is_none())
    }
}

const TOKEN: &str = "/params/_meta/progressToken";

/// The result or error of a response.
pub(super) fn outcome(message: &Value) -> Value {
    message.get("result").unwrap_or(&message["error"]).clone()
}

impl<'r> Calls<'r> {
    /// The calls of all clients.
    pub(super) fn of(record: &'r Record<'_>, others: Others) -> Self {
        Self {
            noun: "call",
            calls: record.all().filter(|view| is_call(record, view)).map(Call::of).collect(),
            others,
            may_poll: &*version(record) >= "2025-11-25",
        }
    }

    /// The same, but others are those of other clients.
    pub(super) fn of_clients(record: &'r Record<'_>) -> Self {
        let others = if has_sessions(record) { Others::Sessions } else { Others::Requests };
        Self::of(record, others)
    }

    /// The requests that begin a session.
    pub(super) fn begun(record: &'r Record<'_>) -> Self {
        Self {
            noun: "`initialize`",
            calls: beginnings(record).map(Call::of).collect(),
            others: Others::Requests,
            may_poll: false,
        }
    }

    pub(super) fn the_noun(&self) -> &'static str {
        if self.noun == "call" { "the call" } else { self.noun }
    }

    pub(super) fn find(&self, view: &View<'_>) -> Option<&Call<'r>> {
        self.calls.iter().find(|call| call.view.number == view.number)
    }

    /// Whether the call is not one of others.
    pub(super) fn is_of(&self, view: &View<'_>, call: &Call<'_>) -> bool {
        let is_same_session = session(view) == session(&call.view);
        let is_itself = view.number == call.view.number;
        match self.others {
            Others::Sessions => is_same_session,
            Others::Requests => is_itself,
            Others::OfSession => is_itself || !is_same_session,
        }
    }

    /// The calls of others that were open at the same time.
    pub(super) fn beside(&self, view: &View<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(|call| call.view.overlaps(view) && !self.is_of(view, call))
    }

    /// The same call of the same client, at other times.
    pub(super) fn again(&self, call: &Call<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(|other| {
            let is_same_client =
                self.others == Others::Requests || session(&other.view) == session(&call.view);
            other.view.number != call.view.number
                && is_same_client
                && other.asks_the_same(call, self.others)
        })
    }

    /// The same while no call of others was open, with an id that no others used.
    fn alone(&self, call: &Call<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.again(call).filter(|other| self.rivals(&other.view, other.id()).next().is_none())
    }

    /// The calls of others at the same time, or with the same id at any time.
    pub(super) fn rivals(&self, view: &View<'_>, id: &Value) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(move |call| {
            !self.is_of(view, call) && (call.view.overlaps(view) || call.id() == id)
        })
    }

    /// The outcome that the call always has alone, before and after.
    pub(super) fn usual(&self, call: &Call<'_>) -> Option<&Value> {
        let outcomes: Vec<_> = self.alone(call).map(|alone| alone.outcome.as_ref()).collect();
        let first = (*outcomes.first()?)?;
        (self.around(call) && outcomes.iter().all(|outcome| *outcome == Some(first)))
            .then_some(first)
    }

    /// Whether the call was made alone before and after.
    fn around(&self, call: &Call<'_>) -> bool {
        let is_before = |alone: &Call<'_>| alone.view.number < call.view.number;
        self.alone(call).any(is_before) && !self.alone(call).all(is_before)
    }

    /// Whether it was served alone, each time, before and after.
    pub(super) fn is_served_alone(&self, call: &Call<'_>) -> bool {
        self.around(call) && self.alone(call).all(Call::is_served)
    }

    /// The fault if no response came for a call that is served when it is alone.
    pub(super) fn silence(&self, call: &Call<'_>) -> Option<(Place, String)> {
        let view = &call.view;
        let served = self.alone(call).filter(|alone| alone.is_served());
        let usual = served.map(|alone| alone.view.lasted()).max()?;
        // The server may close the connection early, once the client has an id to resume after.
        let polls = self.may_poll && view.events().any(|(event, _)| event.sets_id);
        if view.end.how.is_servers() {
            let message = "the stream ends without the response".to_owned();
            return (!polls).then_some((Place::Exchange, message));
        }
        let enough = BLOCKED.max(usual * MUCH_LONGER);
        let waited = view.lasted();
        (waited >= enough)
            .then(|| (Place::Exchange, format!("no response within {}", shown(waited))))
    }

    /// The fault if the call has this status, or an error; a server that is busy is not to blame.
    pub(super) fn refusal(&self, call: &Call<'_>) -> Option<(Place, String)> {
        let status = call.view.status().unwrap_or(200);
        if call.is_served() || matches!(status, 429 | 503) {
            return None;
        }
        let what = if status == 200 { "an error".to_owned() } else { status.to_string() };
        Some((Place::StatusLine, format!("{} is answered with {what}", self.the_noun())))
    }
}
