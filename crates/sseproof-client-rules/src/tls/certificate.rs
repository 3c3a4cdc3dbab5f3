//! A certificate that proves nothing gets no request.

use super::{OPTIONS, without_tls};
use crate::{Fault, Hooks, Judgement, Mistrust, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/tls-certificate",
    cases: &["tls-unknown-issuer", "tls-expired", "tls-other-name"],
    judge,
    mutants: &[
        Mutant::new(
            "trusts-any-issuer",
            "accepts a certificate of any authority",
            Hooks { trusts: |_, fault| fault == Mistrust::UnknownIssuer, ..REFERENCE },
        ),
        Mutant::new(
            "trusts-expired",
            "accepts a certificate that has expired",
            Hooks { trusts: |_, fault| fault == Mistrust::Expired, ..REFERENCE },
        ),
        Mutant::new(
            "trusts-other-names",
            "accepts a certificate for another host",
            Hooks { trusts: |_, fault| fault == Mistrust::OtherName, ..REFERENCE },
        ),
        Mutant::new(
            "trusts-with-options",
            "accepts any certificate if it has header fields of its user",
            Hooks { trusts: |state, _| !state.connect.headers.is_empty(), ..REFERENCE },
        ),
        Mutant::new(
            "falls-back-to-plain",
            "connects without TLS if it does not trust the certificate",
            Hooks {
                request: |state| match state.failures {
                    0 => crate::client::request(state),
                    _ => without_tls(state),
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let what = match view.case() {
        "tls-unknown-issuer" => "a certificate of an unknown authority",
        "tls-expired" => "an expired certificate",
        _ => "a certificate for another host",
    };
    let requests = view.requests();
    // A request without options is the worse fault.
    let bare = requests.iter().find(|asked| asked.what.request.path() != OPTIONS);
    if let Some(request) = bare.or(requests.first()) {
        let if_any = if bare.is_none() { ", if it has options such as header fields" } else { "" };
        let message = match request.what.secure {
            true => format!("the client sends its request to a server with {what}{if_any}"),
            false => format!("the client sends its request without TLS, after {what}{if_any}"),
        };
        return Fault::at(request.entry, message).into();
    }
    match view.handshakes().is_empty() {
        true => Judgement::Unclear("the client did not connect over TLS".to_owned()),
        false => Judgement::held("no request to a server whose certificate is not trusted"),
    }
}
