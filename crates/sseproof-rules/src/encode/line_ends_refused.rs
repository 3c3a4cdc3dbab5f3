//! A name or an id with a line end is refused, and not changed silently.

use std::collections::BTreeSet;

use sseproof_record::Part;

use sseproof_units::counted;

use super::came_back::{Forging, cut_short, fault, first_of, loses_line_ends, unsent};
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

fn judge(record: &Record<'_>) -> Verdict {
    let (mut faults, mut judged, mut note) = (Vec::new(), 0_u64, String::new());
    let mut elsewhere = BTreeSet::new();
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
        // Another rule says what becomes of these.
        for trial in trials.iter().filter(|trial| trial.published.text().contains(['\r', '\n'])) {
            match part {
                _ if forging.explains(trial) => elsewhere.insert("encode/injection"),
                Part::Event if trial.kills => elsewhere.insert("encode/event-name"),
                _ if trial.kills => elsewhere.insert("encode/id"),
                _ => false,
            };
        }
        note += &unsent(record, part);
        note += &cut_short(record, part);
    }
    if unheard.len() == parts.len() {
        return unheard.swap_remove(0);
    }
    if judged == 0 {
        let why = match elsewhere.is_empty() {
            true => "no name or id with a line end could be followed to the end".to_owned(),
            false => format!(
                "a name or an id with a line end breaks more than this: see {}",
                elsewhere.into_iter().collect::<Vec<_>>().join(" and ")
            ),
        };
        return Verdict::Inconclusive(why + &note);
    }
    Verdict::from_faults(first_of(faults), format!("{} refused{note}", counted(judged, "payload")))
}
