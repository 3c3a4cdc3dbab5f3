//! The types of the events.

use super::rewritten;
use super::traffic::{each_stream, messages};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/event-type",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-next-unnamed",
            "sends results without an event type, as servers did before there was a protocol",
            |visit| {
                rewritten(visit, |_, event| match event.event.as_deref() {
                    Some("next") => vec![Written { event: None, ..event }],
                    _ => vec![event],
                })
            },
        ),
        Mutant::new("graphql-ping-as-event", "keeps the connection alive with an event", |visit| {
            rewritten(visit, |index, event| match index {
                0 => vec![Written::named("ping", "{}"), event],
                _ => vec![event],
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "event", "no stream carried an event", |view, tally| {
        for message in messages(view) {
            tally.look();
            let wrong = match message.event {
                "next" | "complete" => continue,
                "message" => "the event has no `event` field".to_owned(),
                other => format!("the event is of the type `{other}`"),
            };
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}
