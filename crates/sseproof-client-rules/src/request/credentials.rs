//! Credentials stay with the origin that they were given for.

use sseproof_http::Request;

use super::SECRETS;
use crate::record::Asked;
use crate::{Fault, Hooks, Judgement, Moment, Mutant, REFERENCE, Rule, State, View};

/// The fields that belong to an origin by their definition.
pub(super) const DEFINED: [&str; 2] = ["authorization", "cookie"];

pub(super) const RULE: Rule = Rule {
    id: "client/request-credentials",
    cases: &["redirect-elsewhere", "redirect-to-plain"],
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
        Mutant::new(
            "leaks-without-tls",
            "sends Authorization without TLS after a redirect to the same host and port",
            Hooks {
                request: |state| match (state.url.as_str(), state.connect.url.as_str()) {
                    (to, from) if to.starts_with("http:") && from.starts_with("https:") => {
                        leaking(state, "authorization")
                    }
                    _ => crate::client::request(state),
                },
                ..REFERENCE
            },
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
    let note = "no Authorization and no Cookie for another origin";
    stays(view, |name| DEFINED.contains(&name), note)
}

/// Whether the secrets that `is_asked` lets through stay with their origin.
pub(super) fn stays(view: &View<'_>, is_asked: impl Fn(&str) -> bool, note: &str) -> Judgement {
    let Some(elsewhere) = elsewhere(view) else { return not_followed(view) };
    let to = match view.case() {
        "redirect-to-plain" => "over plain HTTP after a redirect from https to http",
        _ => "to another origin after a redirect",
    };
    let faults = leaked(elsewhere.what, is_asked).into_iter().map(|name| {
        Fault::at(elsewhere.entry, format!("the client sends `{name}` {to}")).header(name)
    });
    Judgement::of(faults.collect(), note)
}

/// The request to the other origin.
fn elsewhere<'a>(view: &View<'a>) -> Option<Moment<&'a Asked>> {
    view.requests().into_iter().find(|asked| asked.what.request.path() == "/there")
}

fn not_followed(view: &View<'_>) -> Judgement {
    match (view.case(), view.requests().is_empty()) {
        ("redirect-to-plain", false) => {
            Judgement::held("the client does not follow a redirect from https to http")
        }
        ("redirect-to-plain", true) => {
            Judgement::Skipped("the client does not connect over TLS".to_owned())
        }
        _ => Judgement::Unclear("the client did not follow the redirect".to_owned()),
    }
}

/// The given secrets in the request, of the fields that `is_asked` lets through.
fn leaked(asked: &Asked, is_asked: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let is_there = |(name, value): &(&str, &str)| {
        let mut found = asked.request.headers.all(name);
        found.any(|field| field.value.windows(value.len()).any(|part| part == value.as_bytes()))
    };
    let there = SECRETS.iter().filter(|secret| is_asked(secret.0) && is_there(secret));
    there.map(|(name, _)| *name).collect()
}
