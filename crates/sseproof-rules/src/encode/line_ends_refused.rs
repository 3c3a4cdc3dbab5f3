//! A name or an id with a line end is refused, and not changed silently.

use sseproof_record::Part;

use super::came_back::{Forging, cut_short, fault, loses_line_ends};
use super::changing;
use super::trials::{Trial, trials_of};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/line-ends-refused",
    judge,
    mutants: &[
        Mutant::new(
            "joined-event-name",
            "takes the line ends out of an event name instead of refusing it",
            |visit| {
                changing(visit, |message| {
                    message.event = message.event.take().map(|name| name.replace(['\r', '\n'], ""));
                })
            },
        ),
        Mutant::new(
            "joined-id",
            "takes the line ends out of an id instead of refusing it",
            |visit| {
                changing(visit, |message| {
                    message.id = message.id.take().map(|id| id.replace(['\r', '\n'], ""));
                })
            },
        ),
    ],
};

/// How many payloads are shown.
const SHOWN: usize = 4;

fn judge(record: &Record<'_>) -> Verdict {
    let (mut faults, mut judged, mut note) = (Vec::new(), 0, String::new());
    let parts = [Part::Event, Part::Id];
    let mut unheard = Vec::new();
    for part in parts {
        let trials = match trials_of(record, part) {
            Ok(trials) => trials,
            Err(verdict) => {
                unheard.push(verdict);
                continue;
            }
        };
        let forging = Forging::of(&trials);
        let ours = |trial: &&Trial<'_>| loses_line_ends(trial) && !forging.explains(trial);
        for trial in trials.iter().filter(ours) {
            judged += 1;
            faults.extend(fault(trial));
        }
        note += &cut_short(record, part);
    }
    if unheard.len() == parts.len() {
        return unheard.swap_remove(0);
    }
    if judged == 0 {
        return Verdict::Inconclusive(format!(
            "no name or id with a line end could be followed to the end{note}"
        ));
    }
    let broken = faults.len();
    faults.truncate(SHOWN);
    if let Some(first) = faults.first_mut().filter(|_| broken > 1) {
        first.message += &format!(" (the first of {broken})");
    }
    Verdict::from_faults(faults, format!("{judged} payloads refused{note}"))
}
