//! A resumed stream has everything that was missed.

use super::resumption::{NOTHING_MISSED, Resumption, brought, judge_honoured};
use crate::{Fault, Mutant, Rule, Verdict, reference};
use sseproof_units::counted;

/// So many later events must have come before an earlier one counts as lost.
const LATER: usize = 2;

pub(super) const RULE: Rule = Rule {
    id: "resume/no-loss",
    judge: |record| judge_honoured(record, judge),
    mutants: &[
        Mutant::new(
            "replay-with-a-gap",
            "leaves out the second event of what was missed",
            |visit| {
                let resumed = brought(visit).is_some();
                reference::answer(visit).map_writes(|index, bytes| match index {
                    2 if resumed => b"".into(),
                    _ => bytes,
                })
            },
        ),
        Mutant::new("replay-off-by-one", "begins with the event after the next", |visit| {
            let resumed = brought(visit).is_some();
            reference::answer(visit).map_writes(|index, bytes| match index {
                1 if resumed => b"".into(),
                _ => bytes,
            })
        }),
    ],
};

fn judge(found: &[Resumption<'_>]) -> Verdict {
    let mut faults = Vec::new();
    let mut replayed = 0;
    for resumption in found {
        let came = |id: &str| resumption.came.iter().any(|event| event.last_event_id == id);
        let lost: Vec<_> = resumption
            .missed
            .iter()
            .enumerate()
            .filter(|(place, event)| {
                !came(&event.last_event_id) && is_overtaken(resumption, *place)
            })
            .map(|(_, event)| event.last_event_id.to_string())
            .collect();
        replayed += resumption.missed.iter().filter(|event| came(&event.last_event_id)).count();
        if !lost.is_empty() {
            faults.push(fault(resumption, &lost));
        }
    }
    if faults.is_empty() && replayed == 0 {
        return Verdict::Inconclusive(NOTHING_MISSED.to_owned());
    }
    faults.truncate(3);
    Verdict::from_faults(
        faults,
        format!("{} that were missed came again", counted(replayed, "event")),
    )
}

/// Whether enough events came that are later than this one.
///
/// Unknown events count only after a known one, since a greeting may come first.
fn is_overtaken(resumption: &Resumption<'_>, place: usize) -> bool {
    let ids: Vec<_> = resumption.came.iter().map(|event| event.last_event_id.as_ref()).collect();
    let is_before =
        |id: &str| resumption.had(id) || resumption.place(id).is_some_and(|other| other < place);
    let known = ids.iter().rposition(|id| is_before(id)).map_or(0, |last| last + 1);
    ids[known..].len() >= LATER
}

fn fault(resumption: &Resumption<'_>, lost: &[String]) -> Fault {
    let shown: Vec<_> = lost.iter().take(5).map(|id| format!("{id:?}")).collect();
    let more = if lost.len() > 5 { format!(" and {} more", lost.len() - 5) } else { String::new() };
    let verb = if lost.len() == 1 { "does" } else { "do" };
    let message =
        format!("{}{more} {verb} not come after {}", shown.join(", "), resumption.label());
    // The beginning of the first event after the lost one.
    let place = lost.first().and_then(|id| resumption.place(id)).unwrap_or_default();
    let next = resumption.came.iter().find(|event| {
        !resumption.had(&event.last_event_id)
            && resumption.place(&event.last_event_id).is_none_or(|other| other > place)
    });
    Fault::at(&resumption.second, next.map_or(0, |event| event.span.start), message)
}
