//! Every request bypasses the caches on its way.

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/request-no-cache",
    cases: &["plain", "no-id"],
    judge,
    mutants: &[
        Mutant::new(
            "caches",
            "sends no Cache-Control",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    request.headers.remove("cache-control");
                    request
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "caches-later",
            "sends Cache-Control with its first request only",
            Hooks {
                request: |state| {
                    let mut request = crate::client::request(state);
                    if state.opened > 0 {
                        request.headers.remove("cache-control");
                    }
                    request
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let bypasses = |directive: &String| {
        ["no-cache", "no-store"].iter().any(|one| directive.eq_ignore_ascii_case(one))
    };
    let mut requests = view.requests();
    // A response to POST that is stored answers no later POST (RFC 9110, section 9.3.3).
    requests.retain(|asked| asked.what.request.method != "POST");
    if requests.is_empty() && !view.requests().is_empty() {
        return Judgement::Skipped("the client sends POST, which no cache answers".to_owned());
    }
    let mut faults = Vec::new();
    for asked in requests {
        let directives = asked.what.request.headers.list("cache-control");
        if !directives.iter().any(bypasses) {
            let which = if asked.what.number == 1 { "first" } else { "reconnecting" };
            let message = format!("the {which} request has no `Cache-Control: no-cache`");
            faults.push(Fault::at(asked.entry, message).header("cache-control"));
        }
    }
    Judgement::of(faults, "each request has Cache-Control: no-cache")
}
