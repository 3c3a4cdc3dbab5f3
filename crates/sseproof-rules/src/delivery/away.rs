//! A client that was away while something was published, and what it got when it was back.

use sseproof_record::Reason;

use super::sendings::{Sending, arrival, none, published, restarts, sendings};
use crate::outcome::Outcome;
use crate::{Fault, Record, Verdict};

/// Whether the server resumes from ids; if not, `resume/honoured` reports it.
pub(super) fn heeds_ids(record: &Record<'_>) -> bool {
    let honoured = crate::rule("resume/honoured");
    !honoured.is_some_and(|rule| matches!((rule.judge)(record), Verdict::Fail(_)))
}

/// The verdict on an event that was published while a client was away; `over_restart`: and while
/// the server restarted.
pub(super) fn judge(record: &Record<'_>, over_restart: bool) -> Verdict {
    let (came, when) = if over_restart {
        ("an event from before the restart arrived after it", " when the server has restarted")
    } else {
        ("the event that was published meanwhile arrived", "")
    };
    let said = |what| Verdict::Pass(format!("the server says that something is missing: {what}"));
    let sendings = sendings(record);
    let mut no_ids = false;
    for old in record.all().filter(|view| !view.via && view.is_stream()) {
        let of = || sendings.iter().filter(|sending| sending.scenario == old.scenario);
        let Some(before) = of().find(|one| arrival(&old, one).is_some()) else { continue };
        // On a paused clock, the client disconnects at the time of the event.
        let meanwhile = |one: &&Sending<'_>| one.at >= old.end.at && !std::ptr::eq(*one, before);
        let Some(away) = of().find(meanwhile) else { continue };
        if restarts(record, &old.scenario) != over_restart {
            continue;
        }
        let id = published(&old, &before.what.data);
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
            return said(Outcome::of(&back).describe());
        }
        if arrival(&back, away).is_some() {
            return Verdict::Pass(came.to_owned());
        }
        let other =
            back.events().find(|(event, _)| !of().any(|one| event.data.contains(&one.what.data)));
        if let Some((event, _)) = other {
            return said(format!("an event of type {}", event.event_type));
        }
        let later = of().filter(|one| one.at >= back.started);
        if later.filter(|one| arrival(&back, one).is_some()).count() == 0 {
            let why = "nothing arrived after the client reconnected";
            return Verdict::Inconclusive(why.to_owned());
        }
        let message =
            format!("the client resumes after id {id}{when}, and a later event never arrives");
        return Verdict::Fail(vec![Fault::at(&back, 0, message)]);
    }
    if no_ids {
        return Verdict::Skip("the published events have no ids to resume from".to_owned());
    }
    if sendings.is_empty() {
        return none(record);
    }
    Verdict::Inconclusive(
        "no client that had got a published event was away when the next one was published"
            .to_owned(),
    )
}
