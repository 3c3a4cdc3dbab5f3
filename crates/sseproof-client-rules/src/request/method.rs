//! The user's method and body are in every request.

use super::BODY;
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-method",
    cases: &["own-method"],
    judge,
    mutants: &[
        Mutant::new(
            "reconnects-by-get",
            "reconnects by a GET after a POST",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    if state.opened > 0 {
                        "GET".clone_into(&mut request.method);
                        request.body = "".into();
                    }
                    request
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "forgets-body",
            "reconnects by a POST without its body",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    if state.opened > 0 {
                        request.body = "".into();
                    }
                    request
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let mut faults = Vec::new();
    let requests = view.requests();
    for asked in &requests {
        let request = &asked.what.request;
        let which = if asked.what.number == 1 { "first" } else { "reconnecting" };
        if request.method != "POST" {
            let message = format!("the {which} request is a {}, not a POST", request.method);
            faults.push(Fault::at(asked.entry, message));
        } else if &request.body[..] != BODY.as_bytes() {
            let body = request.body.escaped();
            let message = format!("the {which} request has the body \"{body}\", not the given one");
            faults.push(Fault::at(asked.entry, message));
        }
    }
    let requests = sseproof_units::counted(requests.len(), "request");
    Judgement::of(faults, format!("method and body in {requests}"))
}
