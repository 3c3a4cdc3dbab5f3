//! A subscriber gets its topics, and no others.

use super::mistaken;
use super::traffic::{each, is_on, streams, taken};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/topic-exact",
    judge,
    mutants: &[Mutant::new(
        "mercure-prefix",
        "sends the updates of topics that begin with the subscriber's, too",
        |visit| {
            mistaken(visit, |request| {
                request.body = request.body.to_text().replace("%2Fother&", "&").into();
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    let none = "no stream of one topic was open when something was published";
    each(record, "event", none, &streams(record), |view, tally| {
        for (event, _) in view.events() {
            let Some(update) = updates.iter().find(|update| update.is_in(&event.data)) else {
                continue;
            };
            tally.look();
            let topic = update.field("topic").unwrap_or_default();
            if !is_on(view, &topic) {
                let message =
                    format!("an update of the topic {topic:?} comes, which was not asked for");
                tally.fault(|| Fault::at(view, event.span.start, message));
            }
        }
    })
}
