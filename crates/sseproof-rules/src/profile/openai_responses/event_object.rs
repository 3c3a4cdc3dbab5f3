//! Each event is an object that says its type.

use serde_json::json;

use super::rewritten;
use crate::profile::typed::objects;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/event-object",
    judge: objects,
    mutants: &[Mutant::new(
        "untyped-ping",
        "keeps the connection alive with an object that has no type",
        |visit| {
            rewritten(visit, |index, event| match index {
                3 => vec![Written::data(json!({ "ping": true })), event],
                _ => vec![event],
            })
        },
    )],
};
