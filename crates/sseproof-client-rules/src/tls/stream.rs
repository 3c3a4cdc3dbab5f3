//! A stream over TLS is read like any other.

use sseproof_codec::Item;

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, State, View};

pub(super) const RULE: Rule = Rule {
    id: "client/tls-stream",
    cases: &["tls"],
    judge,
    mutants: &[Mutant::new(
        "delivers-nothing-over-tls",
        "delivers no event of a stream over TLS",
        Hooks {
            dispatch: |state, item| match item {
                Item::Event(_) if is_over_tls(state) => Vec::new(),
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
};

/// Whether it is over TLS, and not over HTTP/2.
pub(super) fn is_over_tls(state: &State) -> bool {
    state.url.starts_with("https:") && !state.is_http2
}

fn judge(view: &View<'_>) -> Judgement {
    let failed = view.handshakes().into_iter().find_map(|seen| Some((seen.entry, seen.what?)));
    match (view.events().len(), view.requests().first(), failed) {
        (2.., ..) => Judgement::held("two events over TLS"),
        (_, Some(_), _) => {
            Fault::missing("the client does not deliver the events of a stream over TLS").into()
        }
        (_, None, Some((entry, error))) => {
            let message =
                format!("the client refuses a certificate that it was set up to trust: {error}");
            Fault::at(entry, message).into()
        }
        (_, None, None) => {
            Fault::missing("the client sends no request to a server with TLS").into()
        }
    }
}
