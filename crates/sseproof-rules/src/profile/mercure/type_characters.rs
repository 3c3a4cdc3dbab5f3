//! A type has no control characters.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/type-characters",
    judge: |record| {
        refused::judge(record, "a line end in its `type`", |update| {
            update.field("type").is_some_and(|kind| kind.contains('\n'))
        })
    },
    mutants: &[Mutant::new(
        "mercure-line-in-type",
        "takes an update whose type holds a line end",
        |visit| without(visit, |name, value| name == "type" && value.contains("%0A")),
    )],
};
