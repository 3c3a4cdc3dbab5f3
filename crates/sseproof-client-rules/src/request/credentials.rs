//! Credentials stay with the origin that they were given for.

use sseproof_http::Request;

use super::SECRETS;
use crate::record::Asked;
use crate::{Fault, Hooks, Judgement, Moment, Mutant, REFERENCE, Rule, State, View};

/// The fields that belong to an origin by their definition.
pub(super) const DEFINED: [&str; 2] = ["authorization", "cookie"];

pub(super) const RULE: Rule = Rule {
    id: "client/request-credentials",
    cases: &["redirect-elsewhere"],
    judge,
    mutants: &[
        Mutant::new(
            "leaks-authorization",
            "sends Authorization to the other origin that it is redirected to",
            Hooks { request: |state| leaking(state, "authorization"), ..REFERENCE },
        ),
        Mutant::new(
            "leaks-cookie",
            "sends Cookie to the other origin that it is redirected to",
            Hooks { request: |state| leaking(state, "cookie"), ..REFERENCE },
        ),
    ],
};

/// The request with this field, wherever it goes.
pub(super) fn leaking(state: &State, name: &str) -> Request {
    let request = crate::client::request(state);
    match state.connect.headers.get(name) {
        Some(value) => request.with(name, value.as_str()),
        None => request,
    }
}

fn judge(view: &View<'_>) -> Judgement {
    let Some(elsewhere) = elsewhere(view) else { return not_followed() };
    let leaked = leaked(elsewhere.what, |name| DEFINED.contains(&name));
    let faults = leaked.into_iter().map(|name| {
        let message = format!("the client sends `{name}` to another origin after a redirect");
        Fault::at(elsewhere.entry, message).header(name)
    });
    Judgement::of(faults.collect(), "no Authorization and no Cookie for another origin")
}

/// The request to the other origin.
pub(super) fn elsewhere<'a>(view: &View<'a>) -> Option<Moment<&'a Asked>> {
    view.requests().into_iter().find(|asked| asked.what.request.path() == "/there")
}

pub(super) fn not_followed() -> Judgement {
    Judgement::Unclear("the client did not follow the redirect".to_owned())
}

/// The given secrets in the request, of the fields that `is_asked` lets through.
pub(super) fn leaked(asked: &Asked, is_asked: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is_there = |(name, value): &(&str, &str)| {
        let mut found = asked.request.headers.all(name);
        found.any(|field| field.value.windows(value.len()).any(|part| part == value.as_bytes()))
    };
    let there = SECRETS.iter().filter(|secret| is_asked(secret.0) && is_there(secret));
    there.map(|(name, _)| *name).collect()
}
