//! A reconnection time is a number.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/retry-digits",
    judge: |record| {
        refused::judge(record, "a `retry` that is no number", |update| {
            let is_digit = |char: char| char.is_ascii_digit();
            update.field("retry").is_some_and(|retry| !retry.chars().all(is_digit))
        })
    },
    mutants: &[Mutant::new(
        "mercure-any-retry",
        "takes an update whose retry is no number",
        |visit| without(visit, |name, value| name == "retry" && value.contains('s')),
    )],
};
