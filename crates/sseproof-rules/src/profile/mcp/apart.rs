//! Calls of several clients at the same time.
//!
//! A result does not name its call, so the same call is also made alone, before and after. If its
//! result is always the same then, and another one in the other session, a wrong delivery shows.

use std::time::Duration;

use serde_json::Value;
use sseproof_http::{Action, Plan};

use super::traffic::{
    asked, has_sessions, is_foreign, is_in_session, is_initialize, is_request, is_response,
    replies, session, unspoken, version,
};
use super::{answer, mistaken, says};
use crate::delivery::figures::shown;
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::timing::{BLOCKED, MUCH_LONGER};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

/// The id that the probes give to two calls at the same time.
const SAME_ID: &str = "\"id\":56,";
/// Parts of the calls of their two clients.
const FIRST: &str = "sseproof-first";
const SECOND: &str = "sseproof-second";

pub(super) const RULE: Rule = Rule {
    id: "mcp/sessions-apart",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-waits-by-id",
            "finds the stream for a result by the request id alone, so that a later call with that id replaces an earlier one",
            |visit| {
                let mut plan = answer(visit);
                if says(visit, SAME_ID) && says(visit, FIRST) {
                    plan.actions.truncate(1);
                    plan.actions.extend([Action::Flush, Action::Hold]);
                }
                plan
            },
        ),
        Mutant::new(
            "mcp-progress-of-another",
            "sends the progress of a call to the other client that has a call with that id",
            |visit| {
                mistaken(visit, |request| {
                    if says(visit, SAME_ID) {
                        request.body = request.body.to_text().replace(SECOND, FIRST).into();
                    }
                })
            },
        ),
        Mutant::new(
            "mcp-id-taken",
            "refuses a call whose id a call of another session has",
            |visit| match says(visit, SAME_ID) && says(visit, SECOND) {
                true => Plan::answer(409, "text/plain", "a call with this id is open\n")
                    .after([Action::Wait(Duration::from_millis(10))]),
                false => answer(visit),
            },
        ),
    ],
};

/// A request in a session, and what answers it.
struct Call<'r> {
    view: View<'r>,
    asked: Value,
    /// Its result or error.
    outcome: Option<Value>,
}

/// All calls, and whether the server has sessions; without them each call is of another client.
struct Calls<'r> {
    calls: Vec<Call<'r>>,
    has_sessions: bool,
    may_poll: bool,
}

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let is_call = |view: &View<'_>| {
        is_request(view) && !is_initialize(view) && !is_foreign(view) && is_in_session(record, view)
    };
    let calls = Calls {
        calls: record.all().filter(is_call).map(Call::of).collect(),
        has_sessions: has_sessions(record),
        may_poll: &*version(record) >= "2025-11-25",
    };
    let listens = |view: &View<'_>| {
        view.request.method == "GET"
            && view.is_stream()
            && calls.has_sessions
            && is_in_session(record, view)
    };
    let views: Vec<_> = record.all().filter(|view| is_call(view) || listens(view)).collect();
    let none = "no two clients had a call with the same id at the same time";
    look::each(&views, "call", none, |view, tally| calls.look(view, tally))
}

impl<'r> Call<'r> {
    fn of(view: View<'r>) -> Self {
        let response = replies(&view).into_iter().find(|(_, message)| is_response(message));
        Self { asked: asked(&view), outcome: response.map(|(_, message)| outcome(&message)), view }
    }

    fn id(&self) -> &Value {
        &self.asked["id"]
    }

    fn asks_the_same(&self, other: &Self) -> bool {
        ["/method", "/params/name", "/params/arguments", "/params/_meta/progressToken"]
            .iter()
            .all(|at| self.asked.pointer(at) == other.asked.pointer(at))
    }

    fn is_served(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.get("code").is_none())
    }
}

/// The result or error of a response.
fn outcome(message: &Value) -> Value {
    message.get("result").unwrap_or(&message["error"]).clone()
}

impl<'r> Calls<'r> {
    fn is_of(&self, view: &View<'_>, call: &Call<'_>) -> bool {
        match self.has_sessions {
            true => session(view) == session(&call.view),
            false => view.number == call.view.number,
        }
    }

    /// The calls of other clients that were open at the same time.
    fn beside(&self, view: &View<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(|call| call.view.overlaps(view) && !self.is_of(view, call))
    }

    /// The same call of the same client, at other times.
    fn again(&self, call: &Call<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(|other| {
            other.view.number != call.view.number
                && session(&other.view) == session(&call.view)
                && other.asks_the_same(call)
        })
    }

    /// The same while no other client had a call open, with an id that no other client used.
    fn alone(&self, call: &Call<'_>) -> impl Iterator<Item = &Call<'r>> {
        self.again(call).filter(|other| self.rivals(&other.view, other.id()).next().is_none())
    }

    /// The calls of other clients at the same time, or with the same id at any time.
    fn rivals(&self, view: &View<'_>, id: &Value) -> impl Iterator<Item = &Call<'r>> {
        self.calls.iter().filter(move |call| {
            !self.is_of(view, call) && (call.view.overlaps(view) || call.id() == id)
        })
    }

    /// The outcome that the call always has alone, before and after.
    fn usual(&self, call: &Call<'_>) -> Option<&Value> {
        let outcomes: Vec<_> = self.alone(call).map(|alone| alone.outcome.as_ref()).collect();
        let first = (*outcomes.first()?)?;
        let is_before = |alone: &Call<'_>| alone.view.number < call.view.number;
        let around = self.alone(call).any(is_before) && !self.alone(call).all(is_before);
        (around && outcomes.iter().all(|outcome| *outcome == Some(first))).then_some(first)
    }

    /// The call of another client to which a message of this stream belongs.
    fn stray(&self, view: &View<'_>, message: &Value) -> Option<&Call<'r>> {
        let token = &message["params"]["progressToken"];
        let is_owner = |call: &&Call<'_>| match is_response(message) {
            true => *call.id() == message["id"] && call.view.overlaps(view),
            false => !token.is_null() && call.asked["params"]["_meta"]["progressToken"] == *token,
        };
        let (own, others): (Vec<_>, Vec<_>) =
            self.calls.iter().filter(is_owner).partition(|call| self.is_of(view, call));
        let Some(own) = own.first() else { return others.first().copied() };
        let usual = self.usual(own).filter(|_| is_response(message))?;
        let outcome = outcome(message);
        let mut rivals = self.rivals(view, own.id());
        rivals.find(|other| *usual != outcome && self.usual(other) == Some(&outcome))
    }

    fn look(&self, view: &View<'r>, tally: &mut Tally) {
        for (offset, message) in replies(view) {
            if let Some(other) = self.stray(view, &message) {
                let what = if is_response(&message) { "response" } else { "progress" };
                let number = other.view.number;
                let message =
                    format!("the {what} of another client's call (exchange {number}) arrives here");
                return tally.fault(|| Fault::at(view, offset, message));
            }
        }
        let Some(call) = self.calls.iter().find(|call| call.view.number == view.number) else {
            return;
        };
        let same = self.beside(view).find(|other| other.id() == call.id());
        let Some(other) = same.or_else(|| self.beside(view).next()) else { return };
        match (self.lack(call, same.is_some()), same) {
            (Some((place, lack)), _) => {
                let with = if same.is_some() { " with the same id" } else { "" };
                let number = other.view.number;
                let message = format!(
                    "{lack} while another client's call{with} is open (exchange {number}); otherwise the call is served"
                );
                tally.fault(|| Fault::new(view, place, message));
            }
            (None, Some(_)) if call.outcome.is_some() => tally.look(),
            _ => {}
        }
    }

    /// The fault in the response to a call that is served when it is alone.
    fn lack(&self, call: &Call<'_>, same_id: bool) -> Option<(Place, String)> {
        let view = &call.view;
        let alone = || self.alone(call).filter(|alone| alone.is_served());
        let usual = alone().map(|alone| alone.view.lasted()).max()?;
        let status = view.status().unwrap_or(200);
        if status != 200 || call.outcome.is_some() {
            // With other ids both calls were served: the server is not just busy.
            let crowded = |other: &&Call<'_>| {
                let mut beside = self.beside(&other.view).peekable();
                beside.peek().is_some() && beside.all(|one| one.id() != other.id())
            };
            let is_to_blame = same_id
                && !call.is_served()
                && !matches!(status, 429 | 503)
                && self.again(call).filter(crowded).any(Call::is_served);
            let what = if status == 200 { "an error".to_owned() } else { status.to_string() };
            return is_to_blame
                .then(|| (Place::StatusLine, format!("the call is answered with {what}")));
        }
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
}
