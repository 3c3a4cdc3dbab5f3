//! Ids that begin with `#` are the hub's own.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/reserved-id",
    requirement: "mercure/reserved-id",
    title: "an update whose id begins with `#` is refused",
    why: "The hub counts its own events with such ids: one that a publisher chooses stands for another event, and who comes back with it misses updates or gets them twice.",
    fix: "Answer `400 Bad Request` where `id` begins with `#`.",
    recipes: &[],
    judge: |record| {
        refused::judge(record, "an `id` that begins with `#`", |update| {
            update.field("id").is_some_and(|id| id.starts_with('#'))
        })
    },
    mutants: &[Mutant {
        id: "mercure-any-id",
        wrong: "takes an update whose id begins with #",
        serve: |visit| without(visit, |name, value| name == "id" && value.starts_with("%23")),
    }],
};
