//! DELETE stops an operation.

use std::time::Duration;

use sseproof_record::Plan;

use super::reference;
use super::traffic::{each_reserved, is_reserved, messages, parameter, stream_of};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

/// What was under way when the operation was stopped may still come for that long.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/delete",
    judge,
    mutants: &[Mutant::new("graphql-delete-405", "has no DELETE", |visit| {
        match visit.request.method.as_str() {
            "DELETE" => Plan::answer(405, "text/plain", "method not allowed\n")
                .with_header("Allow", "GET, POST, PUT"),
            _ => reference::answer(visit),
        }
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no DELETE was answered";
    let wanted = |view: &View<'_>| view.request.method == "DELETE" && is_reserved(record, view);
    each_reserved(record, "DELETE", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        let state = state(record, view);
        match status {
            200..300 => {}
            // What is over already cannot be found any more.
            404 | 410 if state == State::Over => {}
            _ => {
                let message = format!("DELETE is answered with {status}");
                tally.fault(|| Fault::new(view, Place::StatusLine, message));
                return;
            }
        }
        if let State::Runs(number, offset) = state {
            let message = "the operation still sends results, though a DELETE stopped it before";
            let fault = Fault {
                exchange: number,
                place: Place::Body(offset),
                ..Fault::whole(view, message)
            };
            tally.fault(|| fault);
        }
    })
}

/// What became of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It had been completed before.
    Over,
    /// It stopped.
    Stopped,
    /// It goes on: the exchange and the offset of a result that came later.
    Runs(usize, u64),
}

fn state(record: &Record<'_>, view: &View<'_>) -> State {
    let id = parameter(&view.request, "operationId").unwrap_or_default();
    let Some(stream) = stream_of(record, view) else { return State::Stopped };
    let own = messages(&stream).into_iter().filter(|message| message.json["id"] == id);
    let answered = view.head.as_ref().map_or(view.end.at, |head| head.at);
    for message in own {
        let at = stream.arrival(message.offset);
        if message.event == "complete" && at <= view.started {
            return State::Over;
        }
        if message.event == "next" && at > answered + PATIENCE {
            return State::Runs(stream.number, message.offset);
        }
    }
    State::Stopped
}
