//! An id has no control characters.

use super::{refused, without};
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "mercure/id-characters",
    judge: |record| {
        refused::judge(record, "a line end in its `id`", |update| {
            update.field("id").is_some_and(|id| id.contains('\n'))
        })
    },
    mutants: &[Mutant::new(
        "mercure-line-in-id",
        "takes an update whose id holds a line end",
        |visit| without(visit, |name, value| name == "id" && value.contains("%0A")),
    )],
};
