//! A subscription is answered.
//!
//! A head that is late is another rule's: here it never came, to anybody, and once it was waited
//! for long.

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

/// Whether nobody was answered, although connections stood and one client waited long.
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
        return Verdict::Skip("no subscription stood and waited".to_owned());
    };
    let tries = count(waits.len(), "subscription");
    let message = match view.wire_bytes().len() {
        0 => format!("no head came within {}, in {tries}", shown(*longest)),
        came => format!(
            "no whole head came within {}, in {tries}: {} of it came",
            shown(*longest),
            count(came, "byte")
        ),
    };
    // Whoever was turned away, reset or refused was not left waiting.
    if waits.len() < AGAIN || *longest < MUTE || waits.len() < record.subscriptions().count() {
        return Verdict::Inconclusive(message);
    }
    Verdict::Fail(vec![Fault::whole(view, message).so(
        "no client gets an open stream: the handler is stuck, or a buffer on the way (that of nginx is on by default) was not full in all that time",
    )])
}

/// How long we waited for a head that did not come, or not whole.
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
    fn who_never_answers_fails_once_it_was_waited_for_long() {
        silent(silent(mute(), 5), 5).is_inconclusive(&RULE);
        silent(mute(), 20).is_inconclusive(&RULE);
        let faults = silent(silent(silent(mute(), 5), 5), 20).faults(&RULE);
        assert_eq!(faults[0].exchange, 3);
        assert_eq!(faults[0].message, "no head came within 20 s, in 3 subscriptions");
    }

    #[test]
    fn a_head_that_never_is_whole_is_no_head() {
        let run = silent(silent(mute(), 5), 20).edit(|last| {
            last.wire = vec![Chunk { at: last.started, bytes: "HTTP/1.1 200 OK".into() }];
        });
        assert_eq!(
            run.faults(&RULE)[0].message,
            "no whole head came within 20 s, in 2 subscriptions: 15 bytes of it came"
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
