//! A resumed stream has nothing twice.

use std::collections::BTreeSet;

use super::resumption::{Resumption, brought, judge_honoured};
use crate::{Fault, Mutant, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/no-duplicates",
    judge: |record| judge_honoured(record, judge),
    mutants: &[
        Mutant::new(
            "replay-inclusive",
            "begins with the event whose id the client sent",
            |visit| match brought(visit) {
                Some(id) => reference::answer(visit).insert(1, reference::event(id)),
                None => reference::answer(visit),
            },
        ),
        Mutant::new(
            "replay-overlaps-live",
            "sends the first event of what was missed a second time",
            |visit| match brought(visit) {
                Some(id) => reference::answer(visit).insert(3, reference::event(id + 1)),
                None => reference::answer(visit),
            },
        ),
    ],
};

fn judge(found: &[Resumption<'_>]) -> Verdict {
    let mut faults = Vec::new();
    let mut came = 0;
    for resumption in found {
        came += resumption.came.len();
        let label = resumption.label();
        // One older id alone is more likely a greeting that has the same id on every connection.
        let older: BTreeSet<_> = resumption
            .came
            .iter()
            .map(|event| event.last_event_id.as_ref())
            .filter(|id| *id != resumption.id && resumption.had(id))
            .collect();
        for (index, event) in resumption.came.iter().enumerate() {
            let id = &event.last_event_id;
            let twin = resumption.came[..index]
                .iter()
                .any(|other| other.last_event_id == *id && other.data == event.data);
            let message = if *id == resumption.id.as_str() {
                // The first event of all may be a greeting as well, with its own id every time.
                if resumption.had.len() == 1 {
                    continue;
                }
                format!("{id:?} comes again, although the client sent this id")
            } else if older.len() > 1 && older.contains(id.as_ref()) {
                format!("{id:?} comes again, which is older than {label}")
            } else if twin {
                format!("{id:?} comes twice after {label}")
            } else {
                continue;
            };
            faults.push(Fault::at(&resumption.second, event.span.start, message));
        }
    }
    faults.truncate(3);
    Verdict::from_faults(
        faults,
        format!("{} on resumed streams, none twice", counted(came, "event")),
    )
}
