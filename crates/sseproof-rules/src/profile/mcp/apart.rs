//! Calls of several clients at the same time, and their first requests.
//!
//! A result does not name its call, so the same call is also made alone, before and after. If its
//! result is always the same then, and another one in the other session, a wrong delivery shows.

use std::time::Duration;

use serde_json::Value;
use sseproof_http::{Action, Plan, Visit};

use super::calls::{Call, Calls, Others, is_call, outcome};
use super::traffic::{is_foreign, is_in_session, is_initialize, is_response, replies, unspoken};
use super::{SESSION, answer, mistaken, says, sessions};
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

/// The id that the probes give to two calls at the same time.
const SAME_ID: &str = "\"id\":56,";
/// The id that they give to two `initialize` at the same time.
const SAME_BEGIN: &str = "\"id\":125,";
/// Parts of the calls of their two clients.
pub(super) const FIRST: &str = "sseproof-first";
pub(super) const SECOND: &str = "sseproof-second";

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
            progress_of_another,
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
        Mutant::new(
            "mcp-initialize-of-another",
            "answers `initialize` with the response to another client, if both have the same id",
            |visit| match says(visit, SAME_BEGIN) {
                true => mistaken(visit, |request| {
                    let body = request.body.to_text().replace("2025-11-25", "2025-06-18");
                    request.body = body.into();
                })
                .after([Action::Wait(Duration::from_millis(10))]),
                false => without_begin(visit),
            },
        ),
        Mutant::new(
            "mcp-session-of-another",
            "gives two clients that begin at the same time the same session",
            |visit| match says(visit, SAME_BEGIN) {
                true => answer(visit)
                    .with_header("Mcp-Session-Id", SESSION)
                    .after([Action::Wait(Duration::from_millis(10))]),
                false => without_begin(visit),
            },
        ),
    ],
};

fn progress_of_another(visit: &Visit<'_>) -> Plan {
    mistaken(visit, |request| {
        if says(visit, SAME_ID) {
            request.body = request.body.to_text().replace(SECOND, FIRST).into();
        }
    })
}

/// For mutants that are wrong at `initialize`: the response to others, which is also wrong in the
/// version without it.
fn without_begin(visit: &Visit<'_>) -> Plan {
    match visit.request.headers.has("mcp-method") {
        true => progress_of_another(visit),
        false => answer(visit),
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let calls = Calls::of_clients(record);
    let begun = Calls::begun(record);
    let listens = |view: &View<'_>| {
        view.request.method == "GET"
            && view.is_stream()
            && calls.others == Others::Sessions
            && is_in_session(record, view)
    };
    let is_begun = |view: &View<'_>| is_initialize(view) && !is_foreign(view);
    let wanted = |view: &View<'_>| is_begun(view) || is_call(record, view) || listens(view);
    let views: Vec<_> = record.all().filter(wanted).collect();
    let none = sessions::is_alone(record).unwrap_or_else(|| {
        "no two clients had a call with the same id at the same time".to_owned()
    });
    look::each(&views, "call", &none, |view, tally| match is_initialize(view) {
        true => {
            sessions::look(record, view, tally);
            begun.look(view, tally);
        }
        false => calls.look(view, tally),
    })
}

impl<'r> Calls<'r> {
    /// The call of another client to which a message of this stream belongs.
    fn stray(&self, view: &View<'_>, message: &Value) -> Option<&Call<'r>> {
        let token = &message["params"]["progressToken"];
        // `mcp/resume-apart` judges events that are sent again.
        let is_resumed = view.request.last_event_id().is_some();
        let is_owner = |call: &&Call<'_>| match is_response(message) {
            true => *call.id() == message["id"] && call.view.overlaps(view),
            false => {
                !token.is_null()
                    && call.asked["params"]["_meta"]["progressToken"] == *token
                    && (!is_resumed || call.view.overlaps(view))
            }
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
                let noun = self.noun;
                let message = format!(
                    "the {what} of another client's {noun} (exchange {number}) arrives here"
                );
                return tally.fault(|| Fault::at(view, offset, message));
            }
        }
        let Some(call) = self.find(view) else {
            return;
        };
        let same = self.beside(view).find(|other| other.id() == call.id());
        let Some(other) = same.or_else(|| self.beside(view).next()) else { return };
        match (self.lack(call, same.is_some()), same) {
            (Some((place, lack)), _) => {
                let with = if same.is_some() { " with the same id" } else { "" };
                let number = other.view.number;
                let (noun, the_noun) = (self.noun, self.the_noun());
                let message = format!(
                    "{lack} while another client's {noun}{with} is open (exchange {number}); otherwise {the_noun} is served"
                );
                tally.fault(|| Fault::new(view, place, message));
            }
            (None, Some(_)) if call.outcome.is_some() => tally.look(),
            _ => {}
        }
    }

    /// The fault in the response to a call that is served when it is alone.
    fn lack(&self, call: &Call<'_>, same_id: bool) -> Option<(Place, String)> {
        let is_refused = call.view.status().is_some_and(|status| status != 200);
        if !is_refused && call.outcome.is_none() {
            return self.silence(call);
        }
        // With other ids both calls were served: the server is not just busy.
        let crowded = |other: &&Call<'_>| {
            let mut beside = self.beside(&other.view).peekable();
            beside.peek().is_some() && beside.all(|one| one.id() != other.id())
        };
        let is_to_blame = same_id && self.again(call).filter(crowded).any(Call::is_served);
        self.refusal(call).filter(|_| is_to_blame)
    }
}
