//! Clients that lose their server together do not reconnect together.

use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

/// How many connections are cut.
pub(super) const CLIENTS: usize = 20;

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-jitter",
    cases: &["together"],
    judge,
    mutants: &[Mutant::new(
        "in-step",
        "reconnects exactly after the reconnection time",
        Hooks {
            lost: |state, loss| match loss {
                Loss::End | Loss::Broken(_) => Some(state.retry),
                _ => crate::client::lost(state, loss),
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let requests = view.requests();
    let Some(returned) = requests.get(CLIENTS..).filter(|found| found.len() >= CLIENTS / 2) else {
        return Judgement::Unclear(format!(
            "{CLIENTS} connections were to be cut, and {} of the client were seen",
            sseproof_units::counted(requests.len(), "request")
        ));
    };
    let cut = (1..=CLIENTS as u64).filter_map(|number| view.end(number)).map(|end| end.at).min();
    let (Some(cut), Some(first), Some(last)) = (cut, returned.first(), returned.last()) else {
        return Judgement::Unclear("the streams were not cut".to_owned());
    };
    let wait = first.at.saturating_sub(cut);
    let spread = last.at.saturating_sub(first.at);
    let shown = format!(
        "{} reconnect within {}, {} after the cut",
        sseproof_units::counted(returned.len(), "client"),
        sseproof_units::duration(spread),
        sseproof_units::duration(wait)
    );
    if spread < wait / 10 { Fault::at(last.entry, shown).into() } else { Judgement::held(shown) }
}
