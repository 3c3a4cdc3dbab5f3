//! A stream without a window holds up no other.

use sseproof_http::Action;

use super::no_blocking::no_pair;
use super::sharing::{joined, single};
use super::{no_blocking, on_stream};
use crate::outcome::count;
use crate::{Mutant, Over, Record, Rule, Single, Verdict};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "transport/flow-control",
    judge,
    mutants: &[Mutant::new(
        "h2-window-holds-all",
        "sends nothing on a connection while one of its streams has no window",
        |visit| {
            let waits = visit.blocked > 0;
            on_stream(visit, |plan| if waits { plan.cut(0, [Action::Hold]) } else { plan })
        },
    )
    .over(Over::Http2)],
};

fn judge(record: &Record<'_>) -> Verdict {
    let singles = joined(record, true).map(|(view, opener)| match single(record, &view, &opener) {
        Single::Broken(mut fault) => {
            let window = opener.transport.window.unwrap_or_default();
            fault.message.push_str(&format!(", which had a window of {}", counted(window, "byte")));
            Single::Broken(fault)
        }
        single => single,
    });
    let holds = |flows| format!("{} beside one without a window", count(flows, "stream"));
    let none = no_pair(record, "no stream was beside one without a window");
    match Single::sum(singles, holds, none) {
        Verdict::Fail(_) if blocks(record) => Verdict::Skip(format!(
            "streams on one connection wait for each other in any case: see {}",
            no_blocking::RULE.id
        )),
        verdict => verdict,
    }
}

/// Whether a stream beside one that has all the window it wants is held up as well.
fn blocks(record: &Record<'_>) -> bool {
    joined(record, false)
        .any(|(view, opener)| matches!(single(record, &view, &opener), Single::Broken(_)))
}
