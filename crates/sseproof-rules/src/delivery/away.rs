//! A client that was away while something was published, and what it got when it was back.

use sseproof_record::{Reason, RunEventKind};

use super::sendings::{Sending, arrival, sendings};
use crate::{Record, View};

/// The fate of an event that was published while a client was away.
pub(super) enum Outcome<'r> {
    /// No client was away while something was published.
    None,
    /// The events before it had no id.
    NoIds,
    /// The reason why this is inconclusive.
    Thin(String),
    /// The server says that something is missing, and how.
    Says(String),
    Arrived,
    /// It did not come to this client, which resumed after this id.
    Lost(View<'r>, String),
}

/// Whether the server resumes from ids; if not, `resume/honoured` reports it.
pub(super) fn heeds_ids(record: &Record<'_>) -> bool {
    let honoured = crate::rule("resume/honoured");
    !honoured.is_some_and(|rule| matches!((rule.judge)(record), crate::Verdict::Fail(_)))
}

/// `over_restart`: whether the server restarted meanwhile.
pub(super) fn outcome<'r>(record: &'r Record<'_>, over_restart: bool) -> Outcome<'r> {
    let sendings = sendings(record);
    let mut no_ids = false;
    for old in record.all().filter(|view| !view.via && view.is_stream()) {
        let of = || sendings.iter().filter(|sending| sending.scenario == old.scenario);
        let Some(before) = of().find(|one| arrival(&old, one).is_some()) else { continue };
        // On a paused clock, the client disconnects at the time of the event.
        let meanwhile = |one: &&Sending<'_>| one.at >= old.end.at && !std::ptr::eq(*one, before);
        let Some(away) = of().find(meanwhile) else { continue };
        let restarted = record.run_events().iter().any(|happening| {
            happening.scenario == old.scenario
                && matches!(happening.what, RunEventKind::Restarted { .. })
        });
        if restarted != over_restart {
            continue;
        }
        let id = old.events().find(|(event, _)| event.data.contains(&before.what.data));
        let id = id.map(|(event, _)| event.last_event_id.to_string()).unwrap_or_default();
        if id.is_empty() {
            no_ids = true;
            continue;
        }
        let back = record.all().find(|view| {
            let follows = view.follows.filter(|follows| follows.reason == Reason::Reconnect);
            follows.is_some_and(|follows| follows.exchange == old.number) && view.started >= away.at
        });
        let Some(back) = back else { continue };
        if !back.is_stream() {
            return Outcome::Says(crate::outcome::Outcome::of(&back).describe());
        }
        if arrival(&back, away).is_some() {
            return Outcome::Arrived;
        }
        let other =
            back.events().find(|(event, _)| !of().any(|one| event.data.contains(&one.what.data)));
        if let Some((event, _)) = other {
            return Outcome::Says(format!("an event of type {}", event.event_type));
        }
        let later = of().filter(|one| one.at >= back.started);
        if later.filter(|one| arrival(&back, one).is_some()).count() == 0 {
            return Outcome::Thin("nothing arrived after the client reconnected".to_owned());
        }
        return Outcome::Lost(back, id);
    }
    if no_ids { Outcome::NoIds } else { Outcome::None }
}
