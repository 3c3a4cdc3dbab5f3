//! A resumed stream has nothing twice.

use super::resumption::{brought, events, honoured};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "resume/no-duplicates",
    requirement: "practice/resume-no-duplicates",
    title: "a resumed stream has nothing twice",
    why: "What is counted, booked or appended twice is wrong twice: few clients look whether they have an event already.",
    fix: "Begin behind the id that was brought back, not with it; and where the history and the live stream meet, leave out of one what the other has.",
    recipes: &[],
    judge,
    mutants: &[
        Mutant {
            id: "replay-inclusive",
            wrong: "begins with the very event whose id was brought back",
            serve: |visit| match brought(visit) {
                Some(id) => reference::answer(visit).insert(1, reference::event(id)),
                None => reference::answer(visit),
            },
        },
        Mutant {
            id: "replay-overlaps-live",
            wrong: "sends the first event of what was missed a second time",
            serve: |visit| match brought(visit) {
                Some(id) => reference::answer(visit).insert(3, reference::event(id + 1)),
                None => reference::answer(visit),
            },
        },
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
        for (index, event) in resumption.came.iter().enumerate() {
            let id = &event.last_event_id;
            let twin = resumption.came[..index]
                .iter()
                .any(|other| other.last_event_id == *id && other.data == event.data);
            let message = if *id == resumption.id.as_str() {
                format!("the stream begins with {id:?} and not behind it, on {label}")
            } else if resumption.had(id) {
                format!("{id:?} comes again, which lies before {label}")
            } else if twin {
                format!("{id:?} comes twice on {label}")
            } else {
                continue;
            };
            faults.push(Fault::at(&resumption.second, event.span.start, message));
        }
    }
    faults.truncate(3);
    Verdict::from_faults(faults, format!("{} on resumed streams, none twice", events(came)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, body};

    fn resumed(serve: sseproof_exchange::Answer) -> Run {
        Run::against(serve).subscribe().reconnect(1, "22")
    }

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
        assert_eq!(
            faults[0].message,
            "the stream begins with \"22\" and not behind it, on Last-Event-ID \"22\" of exchange 1"
        );
    }

    #[test]
    fn an_event_that_comes_twice_is_a_duplicate() {
        let faults = resumed(RULE.mutants[1].serve).faults(&RULE);
        assert_eq!(faults[0].message, "\"23\" comes twice on Last-Event-ID \"22\" of exchange 1");
    }

    #[test]
    fn an_older_event_is_a_duplicate() {
        let faults = got("id: 1\ndata: a\n\nid: 3\ndata: c\n\n").faults(&RULE);
        assert!(faults[0].message.starts_with("\"1\" comes again"));
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
