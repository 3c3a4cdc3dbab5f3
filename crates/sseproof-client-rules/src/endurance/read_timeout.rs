//! A read timeout counts every byte, and finds a connection that is half open.

use crate::{Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const ANY_BYTE: Rule = Rule {
    id: "client/endurance-read-timeout",
    cases: &["read-timeout-comments"],
    judge: super::quiet::stays,
    mutants: &[Mutant::new(
        "times-out-on-comments",
        "restarts its read timeout at events only",
        Hooks { counts: |_, event| event, ..REFERENCE },
    )],
};

pub(super) const HALF_OPEN: Rule = Rule {
    id: "client/endurance-half-open",
    cases: &["half-open"],
    judge: half_open,
    mutants: &[Mutant::new(
        "never-times-out",
        "has no read timeout, though one was set",
        Hooks { read_timeout: |_| None, ..REFERENCE },
    )],
};

fn half_open(view: &View<'_>) -> Judgement {
    let Some(start) = view.events().first().copied() else {
        return Judgement::Unclear("the client delivered no event".to_owned());
    };
    let found = [view.end(1).map(|end| end.at), view.request(2).map(|request| request.at)];
    let error = view.errors().first().map(|error| error.at);
    match found.into_iter().chain([error]).flatten().min() {
        Some(at) => Judgement::held(format!(
            "the client gave the connection up after {}",
            sseproof_units::duration(at.saturating_sub(start.at))
        )),
        None => {
            Fault::missing("the client waits on a silent connection beyond its read timeout").into()
        }
    }
}
