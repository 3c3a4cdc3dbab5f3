//! A stream at the end of a redirect is reconnected to, like any other.

use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-reconnects",
    cases: &["redirect-reconnect"],
    judge,
    mutants: &[Mutant::new(
        "ends-where-redirected",
        "does not reconnect after the end of a stream that it was redirected to",
        Hooks {
            lost: |state, loss| match loss {
                Loss::End if state.redirects > 0 => None,
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

/// The standard leaves open to which of the URLs (whatwg/html#503): that is reported only.
fn judge(view: &View<'_>) -> Judgement {
    if view.request(2).is_none() {
        return Judgement::Unclear("the client does not follow redirects".to_owned());
    }
    if view.pace().reconnects_us.is_none() {
        return Judgement::Unclear("the client does not reconnect to any stream".to_owned());
    }
    match view.request(3) {
        None => Fault::missing("the client does not reconnect to the redirected stream").into(),
        Some(third) if third.what.request.path() == super::PLACE => {
            Judgement::held("the client reconnects to the URL that it was redirected to")
        }
        Some(_) => Judgement::held("the client reconnects to the URL that its user has set"),
    }
}
