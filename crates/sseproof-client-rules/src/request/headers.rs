//! The user's own header fields are in every request.

use super::OWN;
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-headers",
    cases: &["own-headers"],
    judge,
    mutants: &[Mutant::new(
        "forgets-headers",
        "sends the header fields of its user with the first request only",
        Hooks {
            request: |state| {
                let mut request = crate::client::request(state);
                if state.opened > 0 {
                    state.connect.headers.keys().for_each(|name| request.headers.remove(name));
                }
                request
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let (name, value) = OWN;
    let mut faults = Vec::new();
    let requests = view.requests();
    for asked in &requests {
        let found = asked.what.request.headers.first(name);
        if found.as_deref() != Some(value) {
            let which = if asked.what.number == 1 { "first" } else { "reconnecting" };
            let message = match found {
                None => format!("the {which} request has no `{name}`, which the user has set"),
                Some(found) => format!("the {which} request has `{name}: {found}`, not `{value}`"),
            };
            faults.push(Fault::at(asked.entry, message).header(name));
        }
    }
    let requests = sseproof_units::counted(requests.len(), "request");
    Judgement::of(faults, format!("own header fields in {requests}"))
}
