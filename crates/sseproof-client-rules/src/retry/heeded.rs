//! The announced reconnection time is heeded.

use crate::{Hooks, Mutant, REFERENCE, Rule};

pub(super) const RULE: Rule = Rule {
    id: "client/retry-heeded",
    cases: &["retry"],
    judge: |view| super::waits(view, 1, "`retry: 700` was announced"),
    mutants: &[Mutant::new(
        "ignores-retry",
        "reconnects after half of the announced time",
        Hooks {
            lost: |state, loss| crate::client::lost(state, loss).map(|wait| wait / 2),
            ..REFERENCE
        },
    )],
};
