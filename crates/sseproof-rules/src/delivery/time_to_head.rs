//! The response headers come at once.

use std::time::Duration;

use sseproof_http::Action;
use sseproof_record::Reason;

use super::figures::{Spread, shown, time_to_head, waited_in_vain};
use super::one_by_one::is_held_with_events;
use crate::response::answered::is_mute;
use crate::timing::TOO_LATE;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "delivery/time-to-head",
    judge,
    mutants: &[Mutant::new(
        "late-head",
        "holds back the response headers for two seconds and more",
        |visit| {
            let request = visit.request;
            let right = reference::answer(visit);
            let subscribes = request.method == "GET" && request.headers.has("accept");
            if subscribes {
                right.after([Action::Wait(Duration::from_millis(2_400))])
            } else {
                right
            }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    // A redirect is only a part of the way, and an answer without a stream has another fault.
    let asked: Vec<_> = record
        .subscriptions()
        .filter(|view| record.followed(view, Reason::Redirect).is_none())
        .filter(|view| view.is_stream() || waited_in_vain(view).is_some())
        .collect();
    let came = Spread::of(asked.iter().filter_map(time_to_head));
    let longest_wait = asked.iter().filter_map(waited_in_vain).max();
    let Some(came) = came else {
        return match longest_wait {
            Some(_) if is_mute(record) => {
                Verdict::Skip("no subscription was answered: see response/answered".to_owned())
            }
            Some(wait) => {
                Verdict::Inconclusive(format!("no response headers came within {}", shown(wait)))
            }
            None => Verdict::Skip("no subscription was answered by a stream".to_owned()),
        };
    };
    if came.median <= TOO_LATE {
        return Verdict::Pass(format!("response headers after {came}"));
    }
    if is_held_with_events(record) {
        let why =
            "a buffer holds back the response headers with the events: see delivery/one-by-one";
        return Verdict::Skip(why.to_owned());
    }
    if came.count == 1 {
        let note =
            format!("the response headers came after {}, in a single exchange", shown(came.median));
        return Verdict::Inconclusive(note);
    }
    let slowest =
        asked.iter().filter(|view| view.head.is_some()).max_by_key(|view| time_to_head(view));
    let faults = slowest.map(|view| {
        Fault::new(
            view,
            crate::Place::StatusLine,
            format!("the response headers come late: after {came}"),
        )
    });
    Verdict::from_faults(faults.into_iter().collect(), String::new())
}
