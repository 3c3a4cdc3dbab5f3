//! A resumed stream has everything that was missed.

use super::resumption::{Resumption, brought, honoured};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

/// So many later events must have come before an earlier one counts as lost.
const LATER: usize = 2;

pub(super) const RULE: Rule = Rule {
    id: "resume/no-loss",
    judge,
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

fn judge(record: &Record<'_>) -> Verdict {
    let found = match honoured(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut replayed = 0;
    for resumption in &found {
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
        let why = "no event is known after the id that the client sent";
        return Verdict::Inconclusive(why.to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::testing::{got, resumed};
    use crate::testing::body;

    #[test]
    fn the_reference_loses_nothing() {
        let note = "17 events that were missed came again".to_owned();
        assert_eq!(resumed(reference::answer).judge(&RULE), Verdict::Pass(note));
    }

    #[test]
    fn a_gap_is_named_by_its_id() {
        let faults = resumed(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "\"24\" does not come after Last-Event-ID \"22\" of exchange 1"
        );
        let faults = resumed(RULE.mutants[1].serve).faults(&RULE);
        assert!(faults[0].message.starts_with("\"23\" does not come"));
    }

    #[test]
    fn what_may_still_come_is_not_lost() {
        got("2").passes(&RULE);
        got("2 3").passes(&RULE);
        got("2 3 7").passes(&RULE);
        got("2 4").passes(&RULE);
    }

    #[test]
    fn what_was_passed_over_is_lost() {
        assert!(got("2 3 7 8").faults(&RULE)[0].message.starts_with("\"4\" does"));
        assert!(got("3 4").faults(&RULE)[0].message.starts_with("\"2\" does"));
        assert!(got("4 7").faults(&RULE)[0].message.starts_with("\"2\", \"3\" do not"));
    }

    #[test]
    fn a_greeting_passes_nothing_over() {
        got("hello again 2").passes(&RULE);
    }

    #[test]
    fn another_order_is_no_loss() {
        got("3 2 4 5 6").passes(&RULE);
    }

    #[test]
    fn an_ignored_header_is_another_rule() {
        got("7 8 9").skips(&RULE);
    }

    #[test]
    fn where_nothing_was_missed_nothing_can_be_lost() {
        body(b"id: 1\ndata: 1\n\n")
            .reconnect(1, "1")
            .with_body(b"id: 2\ndata: 2\n\n")
            .is_inconclusive(&RULE);
    }
}
