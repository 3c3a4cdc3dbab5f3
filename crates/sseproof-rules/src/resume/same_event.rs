//! An id names one event.

use super::resumption::{Resumption, brought, honoured};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/same-event",
    judge,
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

fn judge(record: &Record<'_>) -> Verdict {
    let found = match honoured(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut again = 0;
    for resumption in &found {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, body};

    /// Had 1, missed 2, got this.
    fn got(stream: &str) -> Run {
        body(b"id: 1\ndata: a\n\nid: 2\nevent: tick\ndata: b\n\n")
            .reconnect(1, "1")
            .with_body(stream)
    }

    #[test]
    fn the_reference_sends_the_same_again() {
        let run = Run::against(reference::answer).subscribe().reconnect(1, "22");
        let note = "17 events that came again were the same".to_owned();
        assert_eq!(run.judge(&RULE), Verdict::Pass(note));
    }

    #[test]
    fn other_data_is_a_fault() {
        let run = Run::against(RULE.mutants[0].serve).subscribe().reconnect(1, "22");
        assert_eq!(run.faults(&RULE)[0].message, "\"23\" has another data than in exchange 1");
    }

    #[test]
    fn another_type_is_a_fault() {
        let message = |stream| got(stream).faults(&RULE)[0].message.clone();
        assert_eq!(message("id: 2\ndata: b\n\n"), "\"2\" has another type than in exchange 1");
        assert_eq!(
            message("id: 2\ndata: c\n\n"),
            "\"2\" has another type and data than in exchange 1"
        );
    }

    #[test]
    fn one_id_on_two_new_events_is_a_fault() {
        let stream = "id: 2\nevent: tick\ndata: b\n\nid: 3\ndata: c\n\nid: 3\ndata: d\n\n";
        assert_eq!(
            got(stream).faults(&RULE)[0].message,
            "\"3\" has another data than in exchange 2"
        );
    }

    #[test]
    fn where_nothing_comes_again_nothing_can_be_compared() {
        body(b"id: 1\ndata: a\n\n")
            .reconnect(1, "1")
            .with_body(b"id: 2\ndata: b\n\n")
            .is_inconclusive(&RULE);
    }

    #[test]
    fn ids_that_are_counted_anew_are_another_rule() {
        body(b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n")
            .reconnect(1, "2")
            .with_body(b"id: 1\ndata: c\n\nid: 2\ndata: d\n\n")
            .skips(&RULE);
    }
}
