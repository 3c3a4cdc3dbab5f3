//! A resumed stream has nothing twice.

use std::collections::BTreeSet;

use super::resumption::{brought, honoured};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/no-duplicates",
    judge,
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

fn judge(record: &Record<'_>) -> Verdict {
    let found = match honoured(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut came = 0;
    for resumption in &found {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::testing::resumed;
    use crate::testing::{Run, body};

    /// Had 1 and 2, missed 3, got these.
    fn got(stream: &str) -> Run {
        body(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: c\n\n")
            .reconnect(1, "2")
            .with_body(stream)
    }

    #[test]
    fn the_reference_repeats_nothing() {
        resumed(reference::answer).passes(&RULE);
    }

    #[test]
    fn the_event_that_was_brought_back_is_a_duplicate() {
        let faults = resumed(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].message, "\"22\" comes again, although the client sent this id");
    }

    #[test]
    fn an_event_that_comes_twice_is_a_duplicate() {
        let faults = resumed(RULE.mutants[1].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "\"23\" comes twice after Last-Event-ID \"22\" of exchange 1"
        );
    }

    #[test]
    fn older_events_are_duplicates() {
        let faults = body(b"id: 0\ndata:\n\nid: 1\ndata:\n\nid: 2\ndata:\n\nid: 3\ndata:\n\n")
            .reconnect(1, "2")
            .with_body("id: 0\ndata:\n\nid: 1\ndata:\n\nid: 3\ndata:\n\n")
            .faults(&RULE);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].message.starts_with("\"0\" comes again, which is older than"));
    }

    #[test]
    fn a_greeting_with_the_same_id_every_time_is_none() {
        got("id: 1\ndata: a\n\nid: 3\ndata: c\n\n").passes(&RULE);
        body(b"id: 1\ndata: hello\n\n")
            .reconnect(1, "1")
            .with_body("id: 1\ndata: hello\n\n")
            .passes(&RULE);
    }

    #[test]
    fn one_id_on_two_events_is_another_rule() {
        got("id: 3\ndata: c\n\nid: 3\ndata: d\n\n").passes(&RULE);
    }

    #[test]
    fn an_event_without_an_id_is_never_a_duplicate() {
        got("id: 3\ndata: c\n\ndata: c\n\ndata: c\n\n").passes(&RULE);
    }

    #[test]
    fn a_stream_that_starts_over_is_another_rule() {
        got("id: 1\ndata: a\n\nid: 2\ndata: b\n\n").skips(&RULE);
    }
}
