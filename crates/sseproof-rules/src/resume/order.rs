//! A resumed stream keeps the order.

use super::resumption::{NOTHING_MISSED, Resumption, brought, judge_honoured};
use crate::{Fault, Mutant, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/order",
    judge: |record| judge_honoured(record, judge),
    mutants: &[Mutant::new(
        "replay-out-of-order",
        "sends the second event of what was missed before the first",
        |visit| {
            let id = brought(visit);
            reference::answer(visit).map_writes(|index, bytes| match (id, index) {
                (Some(id), 1) => reference::event(id + 2),
                (Some(id), 2) => reference::event(id + 1),
                _ => bytes,
            })
        },
    )],
};

fn judge(found: &[Resumption<'_>]) -> Verdict {
    let replayed = |resumption: &Resumption<'_>| {
        let known =
            resumption.came.iter().filter(|event| resumption.place(&event.last_event_id).is_some());
        known.count()
    };
    let most = found.iter().map(replayed).max().unwrap_or_default();
    if most == 0 {
        return Verdict::Inconclusive(NOTHING_MISSED.to_owned());
    }
    let faults: Vec<_> = found.iter().filter_map(fault).take(3).collect();
    Verdict::from_faults(faults, format!("{} that were missed, in order", counted(most, "event")))
}

/// The first event that comes after a newer one.
fn fault(resumption: &Resumption<'_>) -> Option<Fault> {
    let mut seen: Vec<&str> = Vec::new();
    let mut highest: Option<(usize, &str)> = None;
    let mut strangers: Vec<&str> = Vec::new();
    let mut known = 0;
    for event in &resumption.came {
        let id = event.last_event_id.as_ref();
        if seen.contains(&id) || resumption.had(id) {
            continue;
        }
        seen.push(id);
        let Some(place) = resumption.place(id) else {
            strangers.push(id);
            continue;
        };
        // One unknown event before all others may be a greeting; between others it is a new one.
        let overtaking = if known == 0 && strangers.len() == 1 { None } else { strangers.last() };
        let younger = match highest {
            Some((other, younger)) if other > place => Some(younger),
            _ => overtaking.copied(),
        };
        if let Some(younger) = younger {
            let message = format!(
                "{id:?} comes after {younger:?}, which is newer, on {}",
                resumption.label()
            );
            return Some(Fault::at(&resumption.second, event.span.start, message));
        }
        if known == 0 {
            strangers.clear();
        }
        known += 1;
        highest = Some((place, id));
    }
    None
}
