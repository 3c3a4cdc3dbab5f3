//! A client that reads nothing does not hold up the others.

use std::time::Duration;

use sseproof_http::{Action, Plan};
use sseproof_record::{Lack, PublishOutcome, Published, RunEvent, RunEventKind};

use super::leaving::lacking;
use super::stalled::{NEVER_SERVED, around, beside, heard_before, stalled};
use crate::delivery::figures::shown;
use crate::delivery::sendings::published;
use crate::timing::{BLOCKED, HELD_UP};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::bytes;
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/slow-reader",
    judge,
    mutants: &[Mutant::new(
        "waits-for-the-slowest",
        "does not go on before every subscriber has read what was published",
        |visit| {
            let body = String::from_utf8_lossy(&visit.request.body);
            if reference::publishes(visit) && body.contains("-poured-") && visit.open >= 2 {
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
    let Some((slow, stall)) = stalled(record) else {
        return Verdict::Skip(lacking(record, &[Lack::Publish], "no client stopped to read"));
    };
    let Some(quick) = beside(record, &slow, stall) else {
        return Verdict::Inconclusive("no other client was there".to_owned());
    };
    let (before, after) = around(record, stall);
    if !heard_before(&quick, stall.at) {
        return Verdict::Inconclusive(
            "the other client got nothing of what was published before, either".to_owned(),
        );
    }
    if !heard_before(&slow, stall.at) {
        return Verdict::Inconclusive(NEVER_SERVED.to_owned());
    }
    let poured = after.iter().find_map(|happening| match &happening.what {
        RunEventKind::Poured { bytes, stopped, .. } => Some((*bytes, stopped)),
        _ => None,
    });
    let before: Vec<_> = before.into_iter().filter_map(publication).collect();
    let since: Vec<_> = after.iter().copied().filter_map(publication).collect();
    if let Some((bytes, PublishOutcome::Unanswered(why))) = poured {
        let message = format!(
            "this client reads nothing, and after {} the server takes nothing more to publish: {why}",
            counted(bytes, "byte")
        );
        return with_control(record, &slow, &before, held(&slow, message));
    }
    if let Some((0, stopped)) = poured
        && let Some(why) = stopped.said()
    {
        return Verdict::Inconclusive(format!("nothing much could be published: {why}"));
    }
    let soonest = match others(&slow, &quick, &before, &since) {
        Ok(soonest) => soonest,
        Err(Verdict::Fail(_)) if let Some(fresh) = served_anew(record, &quick, stall, &since) => {
            return Verdict::Inconclusive(format!(
                "exchange {} gets its events no more or late, but a client that connected while exchange {} reads nothing gets them at once (exchange {fresh})",
                quick.number, slow.number
            ));
        }
        Err(verdict) => return with_control(record, &slow, &before, verdict),
    };
    let unread = after.iter().find_map(|happening| match &happening.what {
        RunEventKind::Unread { exchange, bytes } if *exchange == slow.number => Some(bytes),
        _ => None,
    });
    passed_by(poured.map_or(0, |(bytes, _)| bytes), unread, soonest)
}

/// The verdict, unless a client that read all the time was held up as well, while no other was
/// there.
fn with_control(
    record: &Record<'_>,
    slow: &View<'_>,
    before: &[(Duration, &Published)],
    verdict: Verdict,
) -> Verdict {
    let control = record.all().find(|view| {
        view.scenario == slow.scenario && view.number < slow.number && view.is_stream()
    });
    let Some(control) = control.filter(|_| matches!(verdict, Verdict::Fail(_))) else {
        return verdict;
    };
    let mut sent = before.iter().filter(|(at, _)| (control.started..control.end.at).contains(at));
    let Some((at, last)) = sent.next_back() else { return verdict };
    match published(&control, &last.data) {
        Some((_, arrived)) if arrived.saturating_sub(*at) < HELD_UP => verdict,
        _ => Verdict::Inconclusive(
            "as many events also stop the stream of a single client that reads all the time"
                .to_owned(),
        ),
    }
}

/// The number of the exchange that began after the stall and gets what is published: a client that
/// reads nothing does not stop the server, and the other one lost its events for another reason.
fn served_anew(
    record: &Record<'_>,
    quick: &View<'_>,
    stall: &RunEvent,
    since: &[(Duration, &Published)],
) -> Option<usize> {
    let is_new = |view: &View<'_>| {
        view.scenario == stall.scenario && view.number > quick.number && view.started >= stall.at
    };
    let is_served = |view: &View<'_>| {
        since.iter().any(|(at, what)| {
            published(view, &what.data)
                .is_some_and(|(_, arrived)| arrived.saturating_sub(*at) < HELD_UP)
        })
    };
    record.all().filter(is_new).find(is_served).map(|view| view.number)
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
    Err(match (&last.outcome, published(quick, &last.data)) {
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
        (PublishOutcome::Accepted, None) if still_served(quick, at) => {
            Verdict::Inconclusive(format!(
                "exchange {} gets events, but not the last one that was published",
                quick.number
            ))
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

/// Whether events arrived at this client after this time: a lost or damaged event has another cause
/// than a client that reads nothing.
fn still_served(quick: &View<'_>, since: Duration) -> bool {
    quick.events().any(|(_, at)| at > since)
}

fn publication(happening: &RunEvent) -> Option<(Duration, &Published)> {
    match &happening.what {
        RunEventKind::Published { what, .. } => Some((happening.at, what)),
        _ => None,
    }
}

/// The shortest time that any of these took to arrive.
fn shortest(view: &View<'_>, sent: &[(Duration, &Published)]) -> Duration {
    let took = |(at, what): &(Duration, &Published)| {
        Some(published(view, &what.data)?.1.saturating_sub(*at))
    };
    sent.iter().filter_map(took).min().unwrap_or_default()
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
