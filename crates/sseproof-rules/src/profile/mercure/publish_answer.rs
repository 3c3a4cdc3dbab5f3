//! The answer to a publisher is the id of the update.

use sseproof_record::Plan;

use super::reference;
use super::traffic::{each_taken, seen, streams};
use crate::profile::written::status;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/publish-answer",
    judge,
    mutants: &[
        Mutant::new("mercure-answer-ok", "answers a publisher with ok", |visit| {
            let plan = reference::answer(visit);
            if visit.request.method != "POST" || status(&plan) != 200 {
                return plan;
            }
            let mut actions = plan.actions;
            let answer = Plan::answer(200, "text/plain", "ok").actions;
            actions.truncate(reference::PUBLISHING);
            actions.extend(answer);
            Plan { actions }
        }),
        Mutant::new(
            "mercure-answer-other-id",
            "answers a publisher with another id than the event gets",
            |visit| {
                let plan = reference::answer(visit);
                if visit.request.method != "POST" || status(&plan) != 200 {
                    return plan;
                }
                let mut actions = plan.actions;
                let answer = Plan::answer(200, "text/plain", "urn:uuid:7").actions;
                actions.truncate(reference::PUBLISHING);
                actions.extend(answer);
                Plan { actions }
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "update", |update, tally| {
        let Some((_, event)) = seen(&streams, update).filter(|(_, event)| event.sets_id) else {
            return;
        };
        tally.look();
        if event.last_event_id != update.id() {
            let body = quoted(&update.view.body_bytes());
            let id = &event.last_event_id;
            let message = format!("the answer is {body}, and subscribers see the id {id:?}");
            tally.fault(|| Fault::at(&update.view, 0, message));
        }
    })
}
