//! Ids that begin with `#` are the hub's own.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/reserved-id",
    judge: |record| {
        refused::judge(record, "an `id` that begins with `#`", |update| {
            update.field("id").is_some_and(|id| id.starts_with('#'))
        })
    },
    mutants: &[Mutant::new("mercure-any-id", "takes an update whose id begins with #", |visit| {
        without(visit, |name, value| name == "id" && value.starts_with("%23"))
    })],
};
