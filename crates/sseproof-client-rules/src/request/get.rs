//! The request is a GET without a body, unless the user has asked for another one.

use sseproof_http::Request;

use crate::{Fault, Hooks, Judgement, Kind, Mutant, REFERENCE, Rule, State, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-get",
    cases: &["plain"],
    judge,
    mutants: &[
        Mutant::new(
            "posts",
            "sends a POST though no method was asked for",
            Hooks { request: |state| unasked(state, "POST", ""), ..REFERENCE },
        ),
        Mutant::new(
            "get-with-body",
            "sends a GET with a body",
            Hooks { request: |state| unasked(state, "GET", "{}"), ..REFERENCE },
        ),
    ],
};

fn unasked(state: &State, method: &str, body: &'static str) -> Request {
    let mut request = crate::client::request(state);
    if state.connect.method.is_none() {
        method.clone_into(&mut request.method);
        request.body = body.into();
    }
    request
}

fn judge(view: &View<'_>) -> Judgement {
    if view.client().kind == Kind::Reader {
        return Judgement::Skipped(
            "a client that reads one response has its own method".to_owned(),
        );
    }
    let mut faults = Vec::new();
    for asked in view.requests() {
        let request = &asked.what.request;
        if request.method != "GET" {
            let message = format!("the client sends a {}; a GET was expected", request.method);
            faults.push(Fault::at(asked.entry, message));
        } else if !request.body.is_empty() {
            let bytes = sseproof_units::counted(request.body.len(), "byte");
            faults.push(Fault::at(asked.entry, format!("the GET has a body of {bytes}")));
        }
    }
    Judgement::of(faults, "GET without a body")
}
