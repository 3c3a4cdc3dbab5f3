//! A reconnection time is a number.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/retry-digits",
    requirement: "mercure/retry-digits",
    title: "an update whose `retry` is no row of digits is refused",
    why: "Clients pass over such a field without a word: the publisher believes that they come back at another pace than they do.",
    fix: "Answer `400 Bad Request` where `retry` holds anything but the digits 0 to 9.",
    recipes: &[],
    judge: |record| {
        refused::judge(record, "a `retry` that is no number", |update| {
            let is_digit = |char: char| char.is_ascii_digit();
            update.field("retry").is_some_and(|retry| !retry.chars().all(is_digit))
        })
    },
    mutants: &[Mutant {
        id: "mercure-any-retry",
        wrong: "takes an update whose retry is no number",
        serve: |visit| without(visit, |name, value| name == "retry" && value.contains('s')),
    }],
};
