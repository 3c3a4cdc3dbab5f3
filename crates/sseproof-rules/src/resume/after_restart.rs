//! After a restart of the server, a client that reconnects gets what happens from then on.
//!
//! Its id is of the process before. A server that begins its ids anew and sends only what is above
//! the client's id is silent for it, until its ids have come that far. A new client is the control.

use std::time::Duration;

use sseproof_codec::Event;
use sseproof_http::Action;
use sseproof_record::{Ending, Lack, Reason, RunEventKind};

use super::resumption::brought;
use crate::delivery::figures::shown;
use crate::lifecycle::leaving::lacking;
use crate::timing::{MISSING, REPLAYED};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::counted;

pub(super) const RULE: Rule = Rule {
    id: "resume/after-restart",
    judge,
    mutants: &[Mutant::new(
        "numbers-anew",
        "begins its ids anew when it is restarted, and sends only what is above the client's id",
        |visit| {
            if visit.request.path() == "/restart" {
                return reference::restart(true);
            }
            let mut plan = reference::answer(visit);
            for action in &mut plan.actions {
                if let (Action::Follow { topic, .. }, Some(after)) = (&*action, brought(visit)) {
                    *action = Action::Await { topic: topic.clone(), after };
                }
            }
            plan
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let restarts = || {
        record
            .run_events()
            .iter()
            .filter(|event| matches!(event.what, RunEventKind::Restarted { ready_us: Some(_), .. }))
    };
    if restarts().next().is_none() {
        let lacks = [Lack::Restart, Lack::Start, Lack::Publish];
        return Verdict::Skip(lacking(record, &lacks, "the server was not restarted"));
    }
    let mut seen = None;
    let mut thin = None;
    for back in record.all().filter(|view| !view.via) {
        let Some(old) = record.followed(&back, Reason::Reconnect) else { continue };
        let Some(id) = back.request.last_event_id().map(|id| id.to_text()) else { continue };
        let between = |at: Duration| (old.started..=back.started).contains(&at);
        if !restarts().any(|event| event.scenario == back.scenario && between(event.at)) {
            continue;
        }
        if back.head.is_some() && !back.is_stream() {
            let status = back.status().unwrap_or_default();
            seen = seen.or(Some(format!("a client with the id {id:?} is answered {status}")));
            continue;
        }
        let fresh = record.all().find(|view| {
            view.scenario == back.scenario
                && view.number > back.number
                && view.request.url == back.request.url
                && view.request.last_event_id().is_none()
                && view.is_stream()
        });
        let Some(fresh) = fresh else { continue };
        // The first events may be a greeting, or the state for new clients.
        let both = opened(&back).max(opened(&fresh)) + REPLAYED;
        let live: Vec<_> = live(&fresh, both).collect();
        if let Some((event, _)) = self::live(&back, both).next() {
            let seen_id = if event.sets_id { &*event.last_event_id } else { "" };
            seen = seen.or(Some(format!("after the id {id:?} from before it, {seen_id:?} came")));
            continue;
        }
        let waited = live.first().map(|(_, at)| back.end.at.saturating_sub(*at));
        let is_open = back.end.how == Ending::Disconnected;
        match waited {
            Some(waited) if waited >= MISSING && is_open => {
                let message = format!(
                    "after a restart of the server, a client that reconnects with the id {id:?} from before it gets no event for {}; a new client gets {}",
                    shown(waited),
                    counted(live.len(), "event")
                );
                return Verdict::Fail(vec![Fault::at(&back, back.body_len(), message)]);
            }
            _ if !is_open => {
                seen = seen.or(Some(format!("the stream of a client with the id {id:?} is ended")));
            }
            _ => {
                thin = Some("no event came to a new client either, or the other one left too soon");
            }
        }
    }
    match (seen, thin) {
        (Some(seen), _) => Verdict::Pass(seen),
        (None, Some(thin)) => Verdict::Inconclusive(thin.to_owned()),
        (None, None) => {
            Verdict::Skip("no client reconnected with an id from before a restart".to_owned())
        }
    }
}

fn opened(view: &View<'_>) -> Duration {
    view.head.as_ref().map_or(view.started, |head| head.at)
}

/// The events from then on.
fn live<'r>(
    view: &View<'r>,
    from: Duration,
) -> impl Iterator<Item = (&'r Event<'static>, Duration)> {
    view.events().filter(move |(_, at)| *at >= from)
}
