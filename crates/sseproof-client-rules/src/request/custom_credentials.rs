//! Credentials in other fields stay with their origin, too.

use super::credentials::{DEFINED, leaking, stays};
use crate::{Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-custom-credentials",
    cases: &["redirect-elsewhere", "redirect-to-plain"],
    judge,
    mutants: &[Mutant::new(
        "leaks-key",
        "sends X-Api-Key to the other origin that it is redirected to",
        Hooks { request: |state| leaking(state, "x-api-key"), ..REFERENCE },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let note = "no credential in a field of its own for another origin";
    stays(view, |name| !DEFINED.contains(&name), note)
}
