//! A subscription is answered.
//!
//! Other rules judge late response headers: here none came to any client, and one client waited
//! long.

use std::time::Duration;

use sseproof_http::{Action, Plan};
use sseproof_record::{Ending, Phase};

use crate::delivery::figures::{sent, shown};
use crate::outcome::count;
use crate::timing::MUTE;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/answered",
    judge,
    mutants: &[Mutant::new(
        "never-answers",
        "takes every subscription and never answers one",
        |visit| match visit.request.method.as_str() {
            "GET" => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

/// One unanswered request may be lost on the way.
const AGAIN: usize = 2;

/// Whether no request was answered, although connections were open and one client waited long.
pub(crate) fn is_mute(record: &Record<'_>) -> bool {
    matches!(judge(record), Verdict::Fail(_))
}

fn judge(record: &Record<'_>) -> Verdict {
    let answered = record.all().filter(|view| view.head.is_some()).count();
    if answered > 0 {
        return Verdict::Pass(count(answered, "answer"));
    }
    let waits: Vec<_> =
        record.subscriptions().filter_map(|view| Some((view, waited(&view)?))).collect();
    let Some((view, longest)) = waits.iter().max_by_key(|(_, waited)| *waited) else {
        return Verdict::Skip("no subscription waited on an open connection".to_owned());
    };
    let tries = count(waits.len(), "subscription");
    let message = match view.wire_bytes().len() {
        0 => format!("no response headers came within {}, in {tries}", shown(*longest)),
        came => format!(
            "only a part of the response headers came within {}, in {tries}: {}",
            shown(*longest),
            count(came, "byte")
        ),
    };
    // A client that was rejected, reset or refused did not wait.
    if waits.len() < AGAIN || *longest < MUTE || waits.len() < record.subscriptions().count() {
        return Verdict::Inconclusive(message);
    }
    Verdict::Fail(vec![Fault::whole(view, message).so(
        "no client gets an open stream: the handler is stuck, or a buffer on the way never filled (nginx buffers by default)",
    )])
}

/// How long the client waited for headers that did not come, or only in part.
fn waited(view: &View<'_>) -> Option<Duration> {
    let patience = matches!(view.end.how, Ending::Disconnected | Ending::TimedOut(Phase::Head));
    (view.head.is_none() && patience).then(|| view.end.at.saturating_sub(sent(view)))
}
