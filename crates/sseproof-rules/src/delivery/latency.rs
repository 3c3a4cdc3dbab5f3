//! A published event arrives within a second or so.

use std::time::Duration;

use sseproof_http::Action;

use super::figures::{Spread, shown};
use super::sendings::{listeners, none, published, sendings};
use crate::timing::TOO_LATE;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "delivery/latency",
    judge,
    mutants: &[Mutant::new(
        "slow-fan-out",
        "takes seconds to publish as soon as there are some subscribers",
        |visit| {
            let right = reference::answer(visit);
            let many = reference::publishes(visit) && visit.open >= 4;
            if many { right.after([Action::Wait(Duration::from_millis(2_400))]) } else { right }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let sendings = sendings(record);
    if sendings.is_empty() {
        return none(record);
    }
    let mut times = Vec::new();
    let mut slowest: Option<(Duration, crate::View<'_>, u64)> = None;
    for sending in &sendings {
        for view in listeners(record, sending) {
            let Some((event, at)) = published(&view, &sending.what.data) else { continue };
            let took = at.saturating_sub(sending.at);
            times.push(took);
            if slowest.as_ref().is_none_or(|(most, ..)| took > *most) {
                slowest = Some((took, view, event.span.start));
            }
        }
    }
    let (Some(spread), Some((most, view, offset))) = (Spread::of(times), slowest) else {
        return Verdict::Inconclusive("no published event arrived".to_owned());
    };
    if most > TOO_LATE {
        let message = format!(
            "an event arrives {} after it was published (median {} of {})",
            shown(most),
            shown(spread.median),
            spread.count
        );
        return Verdict::Fail(vec![Fault::at(&view, offset, message)]);
    }
    Verdict::Pass(format!(
        "{} (median; max {}) for {}",
        shown(spread.median),
        shown(spread.max),
        counted(spread.count, "event")
    ))
}
