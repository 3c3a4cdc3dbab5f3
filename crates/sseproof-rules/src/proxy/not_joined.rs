//! Each client of the proxy has a stream of its own.

use std::collections::HashSet;

use sseproof_http::Action;
use sseproof_record::{Gauge, Role, Sample, Side};

use super::sides::{Pair, compared, on_streams, pairs, through};
use crate::delivery::figures::{sent, shown, time_to_head, waited_in_vain};
use crate::lifecycle::leaving::{named, reading};
use crate::outcome::count;
use crate::timing::MISSING;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

/// So many old events are not an accident.
const SEVERAL: usize = 2;

pub(super) const RULE: Rule = Rule {
    id: "proxy/not-joined",
    judge: |record| on_streams(record, judge),
    mutants: &[
        Mutant::new(
            "proxy-replays",
            "is behind a caching proxy that sends each further client the events of the first one",
            |visit| {
                let latest = reference::number_at(visit.now);
                let old = latest.saturating_sub(12)..=latest;
                let resumes = visit.request.last_event_id().is_some();
                through(visit, |plan| match visit.open {
                    3.. if !resumes => {
                        old.rev().fold(plan, |plan, n| plan.insert(1, reference::event(n)))
                    }
                    _ => plan,
                })
            },
        ),
        Mutant::new(
            "proxy-queues",
            "is behind a caching proxy that lets each further client wait for the end of the first one's stream",
            |visit| {
                through(visit, |plan| match visit.open {
                    3.. => plan.after([Action::Hold]),
                    _ => plan,
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut seen = 0;
    let mut doubt = None;
    for later in pairs(record, Sample::Later) {
        let scenario = &later.through.scenario;
        let Some(first) = compared(record, scenario, Side::Through, Sample::Stream) else {
            continue;
        };
        if !first.is_stream() || !later.direct.is_stream() || !first.overlaps(&later.through) {
            continue;
        }
        match (kept_waiting(&first, &later), later.through.is_stream()) {
            (Some(fault), _) => faults.push(fault),
            (None, true) => {
                seen += 1;
                faults.extend(old_events(&first, &later));
            }
            (None, false) => doubt = Some("a second client of the proxy was given no stream"),
        }
    }
    if faults.is_empty() {
        faults.extend(one_for_two(record));
    }
    match (seen, doubt) {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        (0, Some(doubt)) => Verdict::Inconclusive(doubt.to_owned()),
        (0, None) => Verdict::Skip("no two clients of the proxy were there at once".to_owned()),
        _ => Verdict::Pass("a second client was given a stream of its own".to_owned()),
    }
}

/// The fault where the second client has no answer while the first has its stream, and while the
/// server itself answers a client that came after both.
fn kept_waiting(first: &View<'_>, later: &Pair<'_>) -> Option<Fault> {
    waited_in_vain(&later.through)?;
    let until = first.end.at.min(later.through.end.at);
    let waited = until.saturating_sub(sent(&later.through));
    let direct = time_to_head(&later.direct)?;
    let came_after = later.direct.started >= later.through.started;
    // A buffer that holds back response headers does so for every client.
    let usual = time_to_head(first)?.max(direct) * 4;
    if waited < MISSING.max(usual) || !came_after {
        return None;
    }
    let message = format!(
        "no response headers come through the proxy within {} while exchange {} has its stream there; the server itself answers after {}",
        shown(waited),
        first.number,
        shown(direct)
    );
    Some(Fault::whole(&later.through, message))
}

/// The fault where the second client is given events that the first one had before the second came,
/// and that the server itself sends to no client that comes then.
fn old_events(first: &View<'_>, later: &Pair<'_>) -> Option<Fault> {
    let key = |event: &sseproof_codec::Event<'_>| {
        (event.last_event_id.to_string(), event.data.to_string())
    };
    let came = later.through.started.min(later.direct.started);
    let old: HashSet<_> =
        first.events().filter(|(_, at)| *at < came).map(|(event, _)| key(event)).collect();
    let direct: HashSet<_> = later.direct.events().map(|(event, _)| key(event)).collect();
    let again: Vec<_> = later
        .through
        .events()
        .filter(|(event, _)| old.contains(&key(event)) && !direct.contains(&key(event)))
        .collect();
    let (event, _) = again.first()?;
    // A client without an event from the server itself may only have disconnected too early.
    (again.len() >= SEVERAL && !direct.is_empty()).then(|| {
        let message = format!(
            "{} come to this client that exchange {} had before it came; directly the server sends none of them to a client that connects then",
            count(again.len(), "event"),
            first.number
        );
        Fault::at(&later.through, event.span.start, message)
    })
}

/// The fault where a second client of the proxy makes no difference to the server, and one that
/// comes to itself does.
fn one_for_two(record: &Record<'_>) -> Option<Fault> {
    let role = Some(Role::Compared(Side::Through, Sample::Two));
    let second = record.all().find(|view| view.via && view.role == role && view.is_stream())?;
    let first = compared(record, &second.scenario, Side::Through, Sample::One)?;
    if !first.is_stream() {
        return None;
    }
    let open = |view: &View<'_>| !view.ended_by_server();
    let of = |name| reading(record, Gauge::Active, name, &second.scenario);
    let (none, one, two, three) =
        (of(named::NONE)?, of(named::ONE)?, of(named::TWO)?, of(named::THREE)?);
    let joined = one == none + 1 && two == one && three == two + 1;
    (joined && open(&first) && open(&second)).then(|| {
        let message = format!(
            "two clients have a stream through the proxy, and the server has {} as with one of them; a client of its own makes it {three}",
            count(one, "producer")
        );
        Fault::new(&second, Place::StatusLine, message)
    })
}
