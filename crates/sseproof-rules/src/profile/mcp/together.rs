//! Calls of one session at the same time.

use std::time::Duration;

use sseproof_http::{Action, Plan};

use super::calls::{Call, Calls, Others, is_call};
use super::traffic::{NO_SESSION, has_sessions, unspoken};
use super::{answer, says};
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

/// The ids that the probe gives to calls at the same time.
const FIRST: &str = "\"id\":114,";
const SECOND: &str = "\"id\":115,";

pub(super) const RULE: Rule = Rule {
    id: "mcp/calls-together",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-one-call",
            "refuses a call while another one of the session is open",
            |visit| match says(visit, SECOND) {
                true => Plan::answer(409, "text/plain", "a call is open\n")
                    .after([Action::Wait(Duration::from_millis(10))]),
                false => answer(visit),
            },
        ),
        Mutant::new(
            "mcp-answers-last-call",
            "answers only the last one of several calls that a session makes at the same time",
            |visit| {
                let mut plan = answer(visit);
                if says(visit, FIRST) {
                    plan.actions.truncate(1);
                    plan.actions.extend([Action::Flush, Action::Hold]);
                }
                plan
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    if !has_sessions(record) {
        return Verdict::Skip(NO_SESSION.to_owned());
    }
    let calls = Calls::of(record, Others::OfSession);
    let views: Vec<_> = record.all().filter(|view| is_call(record, view)).collect();
    let none = "no session had several calls at the same time";
    look::each(&views, "call", none, |view, tally| calls.look_together(view, tally))
}

impl Calls<'_> {
    fn look_together(&self, view: &View<'_>, tally: &mut Tally) {
        let Some(call) = self.find(view) else { return };
        let Some(other) = self.beside(view).next() else { return };
        match self.lack_together(call) {
            Some((place, lack)) => {
                let number = other.view.number;
                let message = format!(
                    "{lack} while another call of its session is open (exchange {number}); alone the call is served"
                );
                tally.fault(|| Fault::new(view, place, message));
            }
            None if call.outcome.is_some() => tally.look(),
            None => {}
        }
    }

    /// The fault in the response to a call that is served when it is alone. An error is a response.
    fn lack_together(&self, call: &Call<'_>) -> Option<(Place, String)> {
        if !self.is_served_alone(call) {
            return None;
        }
        match call.view.status() {
            Some(status) if status != 200 => self.refusal(call),
            _ if call.outcome.is_none() => self.silence(call),
            _ => None,
        }
    }
}
