//! Credentials in other fields stay with their origin, too.

use super::credentials::{DEFINED, elsewhere, leaked, leaking, not_followed};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-custom-credentials",
    cases: &["redirect-elsewhere"],
    judge,
    mutants: &[Mutant::new(
        "leaks-key",
        "sends X-Api-Key to the other origin that it is redirected to",
        Hooks { request: |state| leaking(state, "x-api-key"), ..REFERENCE },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let Some(elsewhere) = elsewhere(view) else { return not_followed() };
    let leaked = leaked(elsewhere.what, |name| !DEFINED.contains(&name));
    let faults = leaked.into_iter().map(|name| {
        let message = format!("the client sends `{name}` to another origin after a redirect");
        Fault::at(elsewhere.entry, message).header(name)
    });
    Judgement::of(faults.collect(), "no credential in a field of its own for another origin")
}
