//! An id names one event.

use super::resumption::{Resumption, brought, judge_honoured};
use crate::{Fault, Mutant, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/same-event",
    judge: |record| judge_honoured(record, judge),
    mutants: &[Mutant::new(
        "replay-changed",
        "sends the first event of what was missed with other data",
        |visit| {
            let id = brought(visit);
            reference::answer(visit).map_writes(|index, bytes| match (id, index) {
                (Some(id), 1) => format!("id: {}\ndata: {{\"again\":true}}\n\n", id + 1).into(),
                _ => bytes,
            })
        },
    )],
};

fn judge(found: &[Resumption<'_>]) -> Verdict {
    let mut faults = Vec::new();
    let mut again = 0;
    for resumption in found {
        let (same, other) = compared(resumption);
        again += same;
        faults.extend(other);
    }
    if faults.is_empty() && again == 0 {
        return Verdict::Inconclusive("no event came a second time".to_owned());
    }
    faults.truncate(3);
    Verdict::from_faults(
        faults,
        format!("{} that came again were the same", counted(again, "event")),
    )
}

/// How many events came again as they were, and the faults of the others.
fn compared(resumption: &Resumption<'_>) -> (usize, Vec<Fault>) {
    let mut same = 0;
    let mut faults = Vec::new();
    let first = resumption.had.iter().chain(&resumption.missed);
    let before: Vec<_> = first.map(|event| (resumption.first.number, *event)).collect();
    for (index, event) in resumption.came.iter().enumerate() {
        let earlier =
            resumption.came[..index].iter().map(|event| (resumption.second.number, *event));
        let twin = before
            .iter()
            .copied()
            .chain(earlier)
            .find(|(_, other)| other.last_event_id == event.last_event_id);
        let Some((number, twin)) = twin else { continue };
        let what = match (event.event_type == twin.event_type, event.data == twin.data) {
            (true, true) => {
                same += 1;
                continue;
            }
            (true, false) => "data",
            (false, true) => "type",
            (false, false) => "type and data",
        };
        let message =
            format!("{:?} has another {what} than in exchange {number}", event.last_event_id);
        faults.push(Fault::at(&resumption.second, event.span.start, message));
    }
    (same, faults)
}
