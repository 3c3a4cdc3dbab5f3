//! A stream resumes after the id that a client sends.

use super::resumption::{NOTHING_MISSED, Resumption, Taken, answer_without_id, resumptions};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/honoured",
    judge,
    mutants: &[
        Mutant::new(
            "ignores-last-event-id",
            "continues with new events, whatever id a client sends",
            answer_without_id,
        ),
        Mutant::new("counts-per-connection", "begins every stream with event 1", |visit| {
            answer_without_id(visit).map_writes(|index, bytes| match index {
                0 => bytes,
                n => reference::event(n as u64),
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let found = match resumptions(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut honoured = None;
    for resumption in &found {
        match resumption.taken() {
            Taken::Honoured => honoured = honoured.or(Some(resumption)),
            Taken::OnlyNew => faults.push(only_new(resumption)),
            Taken::StartsOver => faults.push(starts_over(resumption)),
            Taken::NothingMissed => {
                doubt = doubt.or_else(|| Some(NOTHING_MISSED.to_owned()));
            }
            Taken::Unclear(why) => doubt = doubt.or(Some(why)),
        }
    }
    faults.truncate(3);
    match (faults.is_empty(), honoured, doubt) {
        (false, ..) => Verdict::Fail(faults),
        (true, Some(resumption), _) => {
            Verdict::Pass(format!("{} was honoured", resumption.label()))
        }
        (true, None, doubt) => Verdict::Inconclusive(doubt.unwrap_or_default()),
    }
}

fn only_new(resumption: &Resumption<'_>) -> Fault {
    let came = resumption.came.first().copied();
    let next = came.map_or_else(String::new, |event| format!("{:?}", event.last_event_id));
    let message = format!("{} is ignored: the stream goes on with {next}", resumption.label());
    let lost = resumption.missed.len();
    Fault::at(&resumption.second, came.map_or(0, |event| event.span.start), message).so(format!(
        "{} after that id, and more while the client was away, are lost",
        counted(lost, "event")
    ))
}

fn starts_over(resumption: &Resumption<'_>) -> Fault {
    let again = |id: &str| resumption.had.iter().find(|event| event.last_event_id == id);
    let pair =
        resumption.came.iter().find_map(|event| Some((*event, *again(&event.last_event_id)?)));
    let label = resumption.label();
    let Some((event, old)) = pair else {
        return Fault::whole(&resumption.second, format!("{label} is ignored"));
    };
    let id = &event.last_event_id;
    let (message, so) = if event.data == old.data && event.event_type == old.event_type {
        let message = format!("{label} is ignored: the stream sends {id:?} again, which is older");
        (message, "after every reconnect the client receives all events twice")
    } else {
        let message =
            format!("{label} is ignored: ids start again, and {id:?} is now another event");
        (
            message,
            "an id means something else on every connection, so that no client can resume after it",
        )
    };
    Fault::at(&resumption.second, event.span.start, message).so(so)
}
