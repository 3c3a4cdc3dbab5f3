//! A resumed stream keeps the order.

use super::resumption::{Resumption, brought, honoured};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/order",
    judge,
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

fn judge(record: &Record<'_>) -> Verdict {
    let found = match honoured(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let replayed = |resumption: &Resumption<'_>| {
        let known =
            resumption.came.iter().filter(|event| resumption.place(&event.last_event_id).is_some());
        known.count()
    };
    let most = found.iter().map(replayed).max().unwrap_or_default();
    if most == 0 {
        let why = "no event is known after the id that the client sent";
        return Verdict::Inconclusive(why.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::testing::{got, resumed};

    #[test]
    fn the_reference_keeps_the_order() {
        resumed(reference::answer).passes(&RULE);
    }

    #[test]
    fn an_older_event_after_a_newer_one_is_a_fault() {
        let faults = resumed(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "\"23\" comes after \"24\", which is newer, on Last-Event-ID \"22\" of exchange 1"
        );
    }

    #[test]
    fn a_new_event_before_the_end_of_the_history_is_a_fault() {
        assert!(got("2 9 3").faults(&RULE)[0].message.starts_with("\"3\" comes after \"9\""));
        assert!(got("8 9 2").faults(&RULE)[0].message.starts_with("\"2\" comes after \"9\""));
    }

    #[test]
    fn one_greeting_in_front_is_not_new() {
        got("hello 2 3").passes(&RULE);
        got("hello 3 2").faults(&RULE);
    }

    #[test]
    fn gaps_and_duplicates_are_other_rules() {
        got("2 4 5").passes(&RULE);
        got("2 3 2 4").passes(&RULE);
        got("1 2 3").passes(&RULE);
    }

    #[test]
    fn an_ignored_header_is_another_rule() {
        got("7 8 9").skips(&RULE);
    }

    #[test]
    fn where_nothing_was_replayed_there_is_no_order() {
        got("1 7 8").is_inconclusive(&RULE);
    }
}
