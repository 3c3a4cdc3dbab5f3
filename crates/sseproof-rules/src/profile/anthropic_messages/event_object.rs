//! Each event is an object that says its type.

use serde_json::json;

use super::rewritten;
use crate::profile::typed::objects;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/event-object",
    judge: objects,
    mutants: &[Mutant::new(
        "empty-ping",
        "keeps the connection alive with an empty object",
        |visit| {
            rewritten(visit, |index, event| match index {
                3 => vec![Written::named("ping", json!({})), event],
                _ => vec![event],
            })
        },
    )],
};
