//! Each event is an object that says its type.

use serde_json::json;

use super::rewritten;
use crate::profile::typed::objects;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/event-object",
    requirement: "anthropic-messages/event-object",
    title: "each event is a JSON object with a `type`",
    why: "Clients choose by `type` what an event is, and pass over types that they do not know; one without any ends the message with an exception.",
    fix: "Write one JSON object for each event, with its `type`; send `{\"type\":\"ping\"}` or a comment to keep the connection alive.",
    recipes: &[],
    judge: objects,
    mutants: &[Mutant {
        id: "empty-ping",
        wrong: "keeps the connection alive with an empty object",
        serve: |visit| {
            rewritten(visit, |index, event| match index {
                3 => vec![Written::named("ping", json!({})), event],
                _ => vec![event],
            })
        },
    }],
};
