//! A POST arrives once, with its body.

use crate::client::Answer;
use crate::{Accept, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const BODY: &str = r#"{"stream":true}"#;

pub(super) const RULE: Rule = Rule {
    id: "client/reader-post",
    cases: &["reader-post"],
    judge,
    mutants: &[
        Mutant::new(
            "posts-twice",
            "sends its POST again when the response headers have come",
            Hooks {
                accept: |state, answer: Answer<'_>| match (state.method.as_str(), state.redirects) {
                    ("POST", 0) if answer.status == 200 => Accept::Follow(state.url.clone()),
                    _ => crate::client::accept(state, answer),
                },
                ..REFERENCE
            },
        )
        .reading(),
        Mutant::new(
            "posts-nothing",
            "sends its POST without the body",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    request.body = Vec::new().into();
                    request
                },
                ..REFERENCE
            },
        )
        .reading(),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let requests = view.requests();
    let Some(first) = requests.first() else { return Judgement::Unclear("no request".to_owned()) };
    if let Some(second) = requests.get(1) {
        let count = sseproof_units::counted(requests.len(), "request");
        return Fault::at(second.entry, format!("{count} arrive for one POST")).into();
    }
    let request = &first.what.request;
    if request.method != "POST" {
        let message = format!("the method of the request is {}, and not POST", request.method);
        return Fault::at(first.entry, message).into();
    }
    if request.body[..] != *BODY.as_bytes() {
        let message =
            format!("the body of the POST is `{}`, and not `{BODY}`", request.body.escaped());
        return Fault::at(first.entry, message).into();
    }
    Judgement::held("one POST with its body")
}
