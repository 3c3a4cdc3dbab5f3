//! A subscription is answered.
//!
//! Other rules judge late response headers: here none came to any client, and one client waited
//! long.

use std::time::Duration;

use sseproof_record::{Action, Ending, Phase, Plan};

use crate::delivery::figures::{sent, shown};
use crate::outcome::count;
use crate::timing::MUTE;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/answered",
    judge,
    mutants: &[Mutant::new(
        "never-answers",
        "takes every subscription and never answers one",
        |visit| match visit.request.method.as_str() {
            "GET" => Plan { actions: vec![Action::Hold] },
            _ => reference::answer(visit),
        },
    )],
};

/// One unanswered request may be lost on the way.
const AGAIN: usize = 2;

/// Whether no request was answered, although connections were open and one client waited long.
pub(crate) fn is_mute(record: &Record<'_>) -> bool {
    matches!(judge(record), Verdict::Fail(_))
}

fn judge(record: &Record<'_>) -> Verdict {
    let answered = record.all().filter(|view| view.head.is_some()).count();
    if answered > 0 {
        return Verdict::Pass(count(answered, "answer"));
    }
    let waits: Vec<_> =
        record.subscriptions().filter_map(|view| Some((view, waited(&view)?))).collect();
    let Some((view, longest)) = waits.iter().max_by_key(|(_, waited)| *waited) else {
        return Verdict::Skip("no subscription waited on an open connection".to_owned());
    };
    let tries = count(waits.len(), "subscription");
    let message = match view.wire_bytes().len() {
        0 => format!("no response headers came within {}, in {tries}", shown(*longest)),
        came => format!(
            "only a part of the response headers came within {}, in {tries}: {}",
            shown(*longest),
            count(came, "byte")
        ),
    };
    // A client that was rejected, reset or refused did not wait.
    if waits.len() < AGAIN || *longest < MUTE || waits.len() < record.subscriptions().count() {
        return Verdict::Inconclusive(message);
    }
    Verdict::Fail(vec![Fault::whole(view, message).so(
        "no client gets an open stream: the handler is stuck, or a buffer on the way never filled (nginx buffers by default)",
    )])
}

/// How long the client waited for headers that did not come, or only in part.
fn waited(view: &View<'_>) -> Option<Duration> {
    let patience = matches!(view.end.how, Ending::Left | Ending::TimedOut(Phase::Head));
    (view.head.is_none() && patience).then(|| view.end.at.saturating_sub(sent(view)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Chunk, Request};

    fn silent(run: Run, seconds: u64) -> Run {
        run.visit(Request::subscribe(URL), Duration::from_secs(seconds))
            .edit(|last| last.end.how = Ending::TimedOut(Phase::Head))
    }

    fn mute() -> Run {
        Run::against(RULE.mutants[0].serve)
    }

    #[test]
    fn the_reference_answers() {
        Run::against(reference::answer).subscribe().passes(&RULE);
        Run::against(|_| Plan::answer(404, "text/plain", "")).subscribe().passes(&RULE);
    }

    #[test]
    fn a_server_that_never_answers_fails_after_a_long_wait() {
        silent(silent(mute(), 5), 5).is_inconclusive(&RULE);
        silent(mute(), 20).is_inconclusive(&RULE);
        let faults = silent(silent(silent(mute(), 5), 5), 20).faults(&RULE);
        assert_eq!(faults[0].exchange, 3);
        assert_eq!(faults[0].message, "no response headers came within 20 s, in 3 subscriptions");
    }

    #[test]
    fn a_part_of_the_headers_is_no_answer() {
        let run = silent(silent(mute(), 5), 20).edit(|last| {
            last.wire = vec![Chunk { at: last.started, bytes: "HTTP/1.1 200 OK".into() }];
        });
        assert_eq!(
            run.faults(&RULE)[0].message,
            "only a part of the response headers came within 20 s, in 2 subscriptions: 15 bytes"
        );
    }

    #[test]
    fn one_late_answer_is_an_answer() {
        let late = silent(silent(mute(), 5), 20).edit(|last| {
            let head =
                Run::against(reference::answer).subscribe().transcript().exchanges[0].clone();
            last.head = head.head;
        });
        late.passes(&RULE);
    }

    #[test]
    fn a_connection_that_does_not_stand_is_no_silence() {
        let ended = |how: Ending| mute().subscribe().edit(|last| last.end.how = how);
        ended(Ending::Unconnected("refused".to_owned())).skips(&RULE);
        ended(Ending::Reset).skips(&RULE);
        silent(silent(ended(Ending::Reset), 20), 20).is_inconclusive(&RULE);
    }
}
