//! Every subscriber gets every event, in the same order.

use sseproof_http::Action;

use super::sendings::{arrival, listeners, none, published, sendings, stayed};
use crate::timing::MISSING;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "delivery/every-subscriber",
    judge,
    mutants: &[Mutant::new(
        "one-takes-all",
        "sends events only to the first subscribers",
        |visit| {
            let mut right = reference::answer(visit);
            if visit.request.path() == "/published" && visit.open >= 3 {
                right.actions.retain(|action| !matches!(action, Action::Follow { .. }));
                right.actions.push(Action::Hold);
            }
            right
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let sendings = sendings(record);
    if sendings.is_empty() {
        return none(record);
    }
    let mut faults = Vec::new();
    let (mut whole, mut most) = (0, 0);
    // In one scenario the same subscribers are there from the first event to the last.
    for run in sendings.chunk_by(|one, next| one.scenario == next.scenario) {
        let views: Vec<_> = listeners(record, &run[0]).collect();
        if views.len() < 2 || is_stalled(record, run[0].scenario) {
            continue;
        }
        most = most.max(views.len());
        let came = |view: &crate::View<'_>| {
            let mut came: Vec<_> = run
                .iter()
                .enumerate()
                .filter_map(|(index, one)| {
                    Some((published(view, &one.what.data)?.0.span.start, index))
                })
                .collect();
            came.sort_unstable();
            came.into_iter().map(|(_, index)| index).collect::<Vec<_>>()
        };
        let orders: Vec<_> = views.iter().map(came).collect();
        let best = orders.iter().max_by_key(|order| order.len());
        let Some(best) = best.filter(|best| !best.is_empty()) else { continue };
        for (view, order) in views.iter().zip(&orders) {
            let missed = run
                .iter()
                .filter(|one| arrival(view, one).is_none() && stayed(view, one, MISSING))
                .filter(|one| views.iter().any(|other| arrival(other, one).is_some()))
                .count();
            if missed > 0 {
                let message = format!(
                    "{missed} of {} that other subscribers got at the same time never arrive here",
                    counted(run.len(), "event")
                );
                faults.push(Fault::at(view, view.body_len(), message));
            } else if order.len() == best.len() && order != best {
                faults.push(Fault::whole(
                    view,
                    "the events arrive in another order than for other subscribers",
                ));
            } else {
                whole += 1;
            }
        }
    }
    if most == 0 {
        return Verdict::Skip(
            "no two subscribers were connected when an event was published".to_owned(),
        );
    }
    if whole == 0 && faults.is_empty() {
        return Verdict::Inconclusive("no subscriber got a published event".to_owned());
    }
    Verdict::from_faults(
        faults,
        format!("{} got the same events in the same order", counted(most, "subscriber")),
    )
}

/// Whether a client of that scenario stopped to read: what it misses is its own fault.
fn is_stalled(record: &Record<'_>, scenario: &str) -> bool {
    record.run_events().iter().any(|happening| {
        happening.scenario == scenario
            && matches!(happening.what, sseproof_record::RunEventKind::Stalled { .. })
    })
}
