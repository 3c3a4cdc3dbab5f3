//! A redirect decides on the method of the next request.

use super::{BODY, METHODS, PLACE};
use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-method",
    cases: &["redirect-method"],
    judge,
    mutants: &[
        Mutant::new(
            "always-get",
            "follows each redirect by a GET",
            Hooks {
                follow: |state, _, place| crate::client::follow(state, 303, place),
                ..REFERENCE
            },
        ),
        Mutant::new(
            "always-post",
            "follows a redirect with 303 by a POST",
            Hooks {
                follow: |state, _, place| crate::client::follow(state, 307, place),
                ..REFERENCE
            },
        ),
        Mutant::new(
            "loses-body",
            "follows a redirect with 307 by a POST without its body",
            Hooks {
                follow: |state, status, place| {
                    crate::client::follow(state, status, place);
                    state.body.clear();
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let judged = connections.iter().zip(METHODS).map(|((_, one), (status, method))| {
        // A client that does not follow it may send its first request again.
        let mut requests = one.requests().into_iter();
        let Some(next) = requests.find(|asked| asked.what.request.path().ends_with(PLACE)) else {
            return Judgement::Unclear(format!(
                "the client did not follow the redirect with {status}"
            ));
        };
        let request = &next.what.request;
        if request.method != method {
            let message =
                format!("the client sends a {} after {status}, not a {method}", request.method);
            return Fault::at(next.entry, message).into();
        }
        let body = if method == "POST" { BODY } else { "" };
        if &request.body[..] != body.as_bytes() {
            let message = match request.body.len() {
                0 => format!("the {method} after {status} has lost its body"),
                _ => format!(
                    "the {method} after {status} has the body \"{}\"",
                    request.body.escaped()
                ),
            };
            return Fault::at(next.entry, message).into();
        }
        Judgement::held("")
    });
    Judgement::all(judged, "GET after 303; method and body are kept after 307 and 308")
}
