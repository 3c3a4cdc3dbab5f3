//! Which operation an event is about.

use std::collections::BTreeSet;

use serde_json::Value;

use super::reworded;
use super::traffic::{
    Message, each_reserved, is_reserved, is_single_stream, messages, operation_id, token,
};
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/envelope",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-single-bare-result",
            "sends results on the stream of a reservation without saying of which operation",
            |visit| {
                reworded(visit, |_, event| {
                    if event.get("payload").is_some() {
                        *event = event["payload"].take();
                    }
                })
            },
        ),
        Mutant::new(
            "graphql-complete-without-id",
            "completes operations on the stream of a reservation without saying which",
            |visit| {
                reworded(visit, |_, event| {
                    if event.get("id").is_some() && event.get("payload").is_none() {
                        *event = serde_json::json!({});
                    }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a reservation carried an event";
    let wanted = |view: &View<'_>| is_single_stream(view) && is_reserved(record, view);
    each_reserved(record, "event", none, wanted, |view, tally| {
        let ids = asked_for(record, view);
        for message in messages(view) {
            // Others have the wrong type: see `graphql-sse/event-type`.
            if !matches!(message.event, "next" | "complete") {
                continue;
            }
            tally.look();
            if let Some(wrong) = wrong(&message, &ids) {
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}

/// The operations that were asked for with the token of the stream.
fn asked_for(record: &Record<'_>, stream: &View<'_>) -> BTreeSet<String> {
    let own = |view: &View<'_>| token(&view.request) == token(&stream.request);
    record.all().filter(own).filter_map(|view| operation_id(&view.request)).collect()
}

fn wrong(message: &Message<'_>, ids: &BTreeSet<String>) -> Option<String> {
    let (event, json) = (message.event, &message.json);
    match &json["id"] {
        Value::String(id) if !ids.contains(id) => {
            Some(format!("the `{event}` is about operation {id:?}, which was not asked for"))
        }
        Value::String(_) if event == "next" && json.get("payload").is_none() => {
            Some(format!("the `next` has no `payload`: {}", shown(json)))
        }
        Value::String(_) => None,
        Value::Null => Some(format!("the `{event}` names no operation: it has no `id`")),
        other => Some(format!("the `id` of the `{event}` is no text: {}", shown(other))),
    }
}
