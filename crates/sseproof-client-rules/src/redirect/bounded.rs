//! A loop of redirects ends, and does not begin anew at once.

use std::time::Duration;

use super::LOOPS;
use crate::{Accept, Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

const TOO_MANY: &str = "too many redirects";

pub(super) const RULE: Rule = Rule {
    id: "client/redirect-loop",
    cases: &["redirect-loop"],
    judge,
    mutants: &[
        Mutant::new(
            "redirected-without-end",
            "follows redirects without a bound",
            Hooks {
                follow: |state, status, place| {
                    crate::client::follow(state, status, place);
                    state.redirects = 0;
                },
                ..REFERENCE
            },
        ),
        Mutant::new(
            "loops-anew",
            "begins a loop of redirects anew without a delay",
            Hooks {
                accept: |state, answer| match crate::client::accept(state, answer) {
                    Accept::Fail(why) if why == TOO_MANY => Accept::Retry(why),
                    accepted => accepted,
                },
                lost: |state, loss| match loss {
                    Loss::Refused(why) if why == TOO_MANY => Some(Duration::ZERO),
                    _ => crate::client::lost(state, loss),
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let requests = view.requests();
    let Some(first) = requests.first() else { return Judgement::Unclear("no request".to_owned()) };
    match requests.get(usize::try_from(LOOPS).unwrap_or(usize::MAX) - 1) {
        Some(last) => {
            let time = sseproof_units::duration(last.at.saturating_sub(first.at));
            let message = format!("the client sends {LOOPS} requests in {time}, and does not stop");
            Fault::at(last.entry, message).into()
        }
        None if requests.len() == 1 => {
            Judgement::Unclear("the client does not follow redirects".to_owned())
        }
        None => {
            let requests = sseproof_units::counted(requests.len(), "request");
            Judgement::held(format!("a loop of redirects ends after {requests}"))
        }
    }
}
