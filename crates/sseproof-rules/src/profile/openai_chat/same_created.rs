//! One completion was created once.

use serde_json::{Value, json};

use super::rechunked;
use super::steady::steady;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/same-created",
    judge: |record| steady(record, "created", "a whole number of seconds", Value::is_u64),
    mutants: &[
        Mutant::new("created-per-chunk", "reads the clock for each chunk", |visit| {
            rechunked(visit, |index, chunk| {
                chunk["created"] = json!(1_700_000_000 + index / 3);
            })
        }),
        Mutant::new(
            "created-with-fraction",
            "writes `created` as the clock gives it, with a fraction",
            |visit| rechunked(visit, |_, chunk| chunk["created"] = json!(1_700_000_000.25)),
        ),
    ],
};
