//! A client that reads nothing does not hold up the others.

use std::time::Duration;

use sseproof_record::{Action, Lack, Plan, PublishOutcome, Published, RunEvent, RunEventKind};

use super::leaving::lacking;
use super::stalled::{NEVER_SERVED, heard_before};
use crate::delivery::figures::shown;
use crate::timing::{BLOCKED, HELD_UP};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::bytes;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/slow-reader",
    judge,
    mutants: &[Mutant::new(
        "waits-for-the-slowest",
        "does not go on before every subscriber has read what was published",
        |visit| {
            let much = reference::publishes(visit) && visit.request.body.len() > 60_000;
            if much && visit.open >= 2 {
                return Plan { actions: vec![Action::Hold] };
            }
            reference::answer(visit)
        },
    )],
};

/// How much more has to be published than is on the way to a client that reads nothing, to say that the
/// server had to do something with the rest.
const REST: u64 = 64 << 10;

fn judge(record: &Record<'_>) -> Verdict {
    let stalled = record.run_events().iter().find_map(|happening| match happening.what {
        RunEventKind::Stalled { exchange } => Some((record.exchange(exchange)?, happening)),
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
        let run_events = record.run_events().iter();
        run_events.filter(|other| other.scenario == stall.scenario && other.at >= stall.at)
    };
    if !heard_before(&quick, stall.at) {
        return Verdict::Inconclusive(
            "the other client got nothing of what was published before, either".to_owned(),
        );
    }
    if !heard_before(&slow, stall.at) {
        return Verdict::Inconclusive(NEVER_SERVED.to_owned());
    }
    let poured = after().find_map(|happening| match &happening.what {
        RunEventKind::Poured { bytes, stopped } => Some((*bytes, stopped.as_deref())),
        _ => None,
    });
    match poured {
        Some((bytes, Some(why))) if why.contains("had no answer") => {
            return held(
                &slow,
                format!(
                    "this client reads nothing, and after {bytes} bytes the server takes nothing more to publish: {why}"
                ),
            );
        }
        Some((0, Some(why))) => {
            return Verdict::Inconclusive(format!("nothing much could be published: {why}"));
        }
        _ => {}
    }
    let run_events = record.run_events().iter();
    let all = run_events.filter(|other| other.scenario == stall.scenario).filter_map(published);
    let (before, since): (Vec<_>, Vec<_>) = all.partition(|(at, _)| *at < stall.at);
    let soonest = match others(&slow, &quick, &before, &since) {
        Ok(soonest) => soonest,
        Err(verdict) => return verdict,
    };
    let unread = after().find_map(|happening| match &happening.what {
        RunEventKind::Unread { exchange, bytes } if *exchange == slow.number => Some(bytes),
        _ => None,
    });
    passed_by(poured.map_or(0, |(bytes, _)| bytes), unread, soonest)
}

fn held(slow: &View<'_>, message: String) -> Verdict {
    Verdict::Fail(vec![Fault::whole(slow, message).so("one client stops the stream for all")])
}

/// How soon the events came that were published since one client reads nothing, for another one.
///
/// # Errors
/// The verdict, where they did not come, or all came late.
fn others(
    slow: &View<'_>,
    quick: &View<'_>,
    before: &[(Duration, &Published)],
    since: &[(Duration, &Published)],
) -> Result<Duration, Verdict> {
    let Some(&(at, last)) = since.last() else {
        return Err(Verdict::Inconclusive("nothing was published meanwhile".to_owned()));
    };
    let stayed = quick.end.at.saturating_sub(at);
    Err(match (&last.outcome, arrival(quick, &last.data)) {
        (_, Some(_)) => {
            let (before, now) = (shortest(quick, before), shortest(quick, since));
            if now < before + HELD_UP {
                return Ok(now);
            }
            let message = format!(
                "while this client reads nothing, each event is late for exchange {}: by {} at least, and {} before",
                quick.number,
                shown(now),
                shown(before)
            );
            held(slow, message)
        }
        (PublishOutcome::Accepted, None) if stayed >= BLOCKED => {
            let message = format!(
                "this client reads nothing, and exchange {} gets nothing any more: an event that was published is not there after {}",
                quick.number,
                shown(stayed)
            );
            held(slow, message)
        }
        (PublishOutcome::Accepted, None) => {
            Verdict::Inconclusive("the other client left too early".to_owned())
        }
        (outcome, None) => Verdict::Inconclusive(format!(
            "the last event could not be published: {}",
            outcome.said().unwrap_or_default()
        )),
    })
}

fn published(happening: &RunEvent) -> Option<(Duration, &Published)> {
    match &happening.what {
        RunEventKind::Published { what, .. } => Some((happening.at, what)),
        _ => None,
    }
}

/// The shortest time that any of these took to arrive.
fn shortest(view: &View<'_>, sent: &[(Duration, &Published)]) -> Duration {
    let took =
        sent.iter().filter_map(|(at, what)| Some(arrival(view, &what.data)?.saturating_sub(*at)));
    took.min().unwrap_or_default()
}

/// Another client that got its event proves nothing, unless the server had more to send to the
/// client that reads nothing than the buffers on the way took.
fn passed_by(poured: u64, unread: Option<&Result<u64, String>>, after: Duration) -> Verdict {
    match unread {
        Some(Ok(unread)) if *unread + REST <= poured => Verdict::Pass(format!(
            "another client got an event {} after it was published, while of {} for a client that reads nothing {} fitted into the buffers on the way",
            shown(after),
            bytes(poured),
            bytes(*unread),
        )),
        Some(Ok(unread)) => Verdict::Inconclusive(format!(
            "nothing shows that the client that reads nothing was in the way: {} were published, and {} lie in the buffers on the way to it",
            bytes(poured),
            bytes(*unread),
        )),
        Some(Err(why)) => Verdict::Inconclusive(format!(
            "nothing shows that the client that reads nothing was in the way: {why}"
        )),
        None => Verdict::Inconclusive(
            "nothing shows that the client that reads nothing was in the way: what lay on the way to it when it left is not in the record"
                .to_owned(),
        ),
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
    use sseproof_record::{Bytes, Chunk, End, Ending, Request};

    /// A slow client and a quick one that gets this, after so much was poured; of that, so much lay
    /// on the way in the end.
    fn run(body: &[u8], stopped: Option<&str>, unread: Result<u64, String>) -> Run {
        let at = Duration::from_secs;
        let what = Published::of("last");
        Run::against(reference::answer)
            .visit(Request::subscribe(URL), at(9))
            .join(1, Duration::ZERO, at(9))
            .with_body(body)
            .edit(|quick| quick.end = End { at: at(10), how: Ending::Left })
            .happened_at(at(2), "", RunEventKind::Stalled { exchange: 1 })
            .happened_at(
                at(2),
                "",
                RunEventKind::Poured { bytes: 1 << 20, stopped: stopped.map(str::to_owned) },
            )
            .happened_at(at(3), "", RunEventKind::Published { what, answered_us: None })
            .happened_at(at(9), "", RunEventKind::Unread { exchange: 1, bytes: unread })
    }

    const BOTH: &[u8] = b"data: first\n\ndata: last\n\n";

    #[test]
    fn others_get_their_events() {
        let run = run(BOTH, None, Ok(200 << 10));
        let Verdict::Pass(note) = run.judge(&RULE) else { panic!("{:?}", run.judge(&RULE)) };
        assert!(note.ends_with("of 1 MiB for a client that reads nothing 200 KiB fitted into the buffers on the way"), "{note}");
    }

    #[test]
    fn others_that_get_nothing_any_more_are_held_up() {
        let faults = run(b"data: first\n\n", None, Ok(0)).faults(&RULE);
        assert_eq!(faults[0].exchange, 1);
        assert!(faults[0].message.contains("exchange 2 gets nothing any more"), "{faults:?}");
        let blocked = Some("POST /publish had no answer in 5s");
        let faults = run(b"data: first\n\n", blocked, Ok(0)).faults(&RULE);
        assert!(faults[0].message.contains("takes nothing more"), "{faults:?}");
    }

    #[test]
    fn others_whose_events_are_all_late_are_held_up() {
        let late = |first: u64, second: u64| {
            let sent =
                |data| RunEventKind::Published { what: Published::of(data), answered_us: None };
            let second = Duration::from_millis(second);
            run(BOTH, None, Ok(0))
                .edit(|quick| {
                    quick.body[0].at = Duration::from_millis(3_000 + first);
                    let body = Bytes::from(&b"data: again\n\n"[..]);
                    quick.body.push(Chunk { at: Duration::from_secs(5) + second, bytes: body });
                    let early = Bytes::from(&b"data: early\n\n"[..]);
                    quick.body.insert(0, Chunk { at: Duration::from_secs(1), bytes: early });
                })
                .happened_at(Duration::from_millis(990), "", sent("early"))
                .happened_at(Duration::from_secs(5), "", sent("again"))
        };
        let faults = late(1_000, 1_010).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "while this client reads nothing, each event is late for exchange 2: by 1 s at least, and 10 ms before"
        );
        late(1_000, 20).passes(&RULE);
    }

    #[test]
    fn what_fits_into_the_buffers_proves_nothing() {
        run(BOTH, None, Ok(1 << 20)).is_inconclusive(&RULE);
        run(BOTH, None, Err("a proxy stands between".to_owned())).is_inconclusive(&RULE);
        let unknown = run(BOTH, None, Ok(0)).edit_run_events(|what| {
            if let RunEventKind::Unread { exchange, .. } = what {
                *exchange = 7;
            }
        });
        unknown.is_inconclusive(&RULE);
    }

    #[test]
    fn a_client_that_never_got_anything_proves_nothing() {
        run(b"", None, Ok(0)).is_inconclusive(&RULE);
        run(BOTH, None, Ok(0)).edit_at(1, |slow| slow.body.clear()).is_inconclusive(&RULE);
    }
}
