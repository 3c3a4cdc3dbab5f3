//! Each event has an id.

use super::reference;
use super::traffic::{each, streams};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/event-id",
    judge,
    mutants: &[Mutant::new(
        "mercure-greeting",
        "greets each subscriber with an event that has no id",
        |visit| {
            let plan = reference::answer(visit);
            let is_stream = visit.request.method == "GET" && reference::is_stream(&plan);
            let greeting = Written::data("welcome").bytes();
            if is_stream { plan.insert(0, greeting) } else { plan }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an event";
    each(record, "event", none, &streams(record), |view, tally| {
        for (event, _) in view.events() {
            tally.look();
            if !event.sets_id {
                let message = "the event has no id";
                tally.fault(|| Fault::at(view, event.span.start, message));
            }
        }
    })
}
