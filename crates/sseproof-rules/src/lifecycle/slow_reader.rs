//! A client that reads nothing does not hold up the others.

use std::time::Duration;

use sseproof_exchange::{Action, Lack, Plan, PublishOutcome, What};

use super::leaving::lacking;
use crate::delivery::figures::shown;
use crate::{Fault, Mutant, Recipe, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/slow-reader",
    requirement: "practice/slow-reader",
    title: "a client that reads nothing does not hold up the others",
    why: "One phone in a tunnel stops the stream for all: the server waits in a write to it, and everybody else waits behind.",
    fix: "Give each subscriber a bounded queue and a writer of its own; where the queue is full, drop its oldest events or the subscriber, and never wait for it while holding what the others need.",
    recipes: &[Recipe {
        with: "Go",
        write: "select {\ncase client.events <- event:\ndefault: // full: drop the client\n    close(client.gone)\n}",
    }],
    judge,
    mutants: &[Mutant {
        id: "waits-for-the-slowest",
        wrong: "does not go on before every subscriber has read what was published",
        serve: |visit| {
            let much = reference::publishes(visit) && visit.request.body.len() > 60_000;
            if much && visit.open >= 2 {
                return Plan { actions: vec![Action::Hold] };
            }
            reference::answer(visit)
        },
    }],
};

/// A wait that is too short to say that somebody is held up.
const PATIENCE: Duration = Duration::from_secs(3);

fn judge(record: &Record<'_>) -> Verdict {
    let stalled = record.happenings().iter().find_map(|happening| match happening.what {
        What::Stalled { exchange } => Some((record.exchange(exchange)?, happening)),
        _ => None,
    });
    let Some((slow, stall)) = stalled else {
        return Verdict::Skip(lacking(record, &[Lack::Publish], "no client stopped to read"));
    };
    let quick = record.all().find(|view| {
        view.scenario == stall.scenario && view.number > slow.number && view.is_stream()
    });
    let Some(quick) = quick else {
        return Verdict::Inconclusive("no other client was there".to_owned());
    };
    let after = || {
        let happenings = record.happenings().iter();
        happenings.filter(|other| other.scenario == stall.scenario && other.at >= stall.at)
    };
    let heard_before = quick.events().any(|(_, at)| at <= stall.at);
    if !heard_before {
        return Verdict::Inconclusive(
            "the other client got nothing of what was published before, either".to_owned(),
        );
    }
    let poured = after().find_map(|happening| match &happening.what {
        What::Poured { bytes, stopped } => Some((*bytes, stopped.as_deref())),
        _ => None,
    });
    let held = |message: String| {
        Verdict::Fail(vec![Fault::whole(&slow, message).so("one client stops the stream for all")])
    };
    match poured {
        Some((bytes, Some(why))) if why.contains("had no answer") => {
            return held(format!(
                "this client reads nothing, and after {bytes} bytes the server takes nothing more to publish: {why}"
            ));
        }
        Some((0, Some(why))) => {
            return Verdict::Inconclusive(format!("nothing much could be published: {why}"));
        }
        _ => {}
    }
    let last = after().find_map(|happening| match &happening.what {
        What::Published { what, .. } => Some((happening.at, what)),
        _ => None,
    });
    let Some((at, last)) = last else {
        return Verdict::Inconclusive("nothing was published meanwhile".to_owned());
    };
    let came = arrival(&quick, &last.data);
    match (&last.outcome, came) {
        (_, Some(came)) => Verdict::Pass(format!(
            "another client got an event {} after it was published",
            shown(came.saturating_sub(at))
        )),
        (PublishOutcome::Accepted, None) if quick.end.at.saturating_sub(at) >= PATIENCE => {
            held(format!(
                "this client reads nothing, and exchange {} gets nothing any more: an event that was published is not there after {}",
                quick.number,
                shown(quick.end.at.saturating_sub(at))
            ))
        }
        (PublishOutcome::Accepted, None) => {
            Verdict::Inconclusive("the other client left too early".to_owned())
        }
        (outcome, None) => Verdict::Inconclusive(format!(
            "the last event could not be published: {}",
            outcome.said().unwrap_or_default()
        )),
    }
}

/// When an event with this in its data arrived.
fn arrival(view: &View<'_>, data: &str) -> Option<Duration> {
    view.events().find(|(event, _)| event.data.contains(data)).map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_exchange::{End, Ending, Published, Request};

    /// A slow client and a quick one that gets this, after so much was poured.
    fn run(body: &[u8], stopped: Option<&str>) -> Run {
        let at = Duration::from_secs;
        let what = Published::of("last");
        Run::against(reference::answer)
            .visit(Request::subscribe(URL), at(9))
            .join(1, Duration::ZERO, at(9))
            .with_body(body)
            .edit(|quick| quick.end = End { at: at(10), how: Ending::Left })
            .happened_at(at(2), "", What::Stalled { exchange: 1 })
            .happened_at(
                at(2),
                "",
                What::Poured { bytes: 1 << 20, stopped: stopped.map(str::to_owned) },
            )
            .happened_at(at(3), "", What::Published { what, answered_us: None })
    }

    #[test]
    fn others_get_their_events() {
        run(b"data: first\n\ndata: last\n\n", None).passes(&RULE);
    }

    #[test]
    fn others_that_get_nothing_any_more_are_held_up() {
        let faults = run(b"data: first\n\n", None).faults(&RULE);
        assert_eq!(faults[0].exchange, 1);
        assert!(faults[0].message.contains("exchange 2 gets nothing any more"), "{faults:?}");
        let blocked = Some("POST /publish had no answer in 5s");
        let faults = run(b"data: first\n\n", blocked).faults(&RULE);
        assert!(faults[0].message.contains("takes nothing more"), "{faults:?}");
    }

    #[test]
    fn a_client_that_never_got_anything_proves_nothing() {
        run(b"", None).is_thin(&RULE);
    }
}
