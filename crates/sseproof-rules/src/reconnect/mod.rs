//! Rules on clients that reconnect or are redirected.

mod affinity;
pub(crate) mod after_end;
pub(crate) mod at_once;
mod no_page;
mod redirect;
mod stop_status;

use std::ops::RangeInclusive;

use sseproof_http::{Plan, Visit};

use crate::delivery::figures::shown;
use crate::outcome::{Coming, Outcome, coming, is_hang};
use crate::{Family, Fault, LooksAt, Place, Record, View, reference};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &at_once::RULE,
        &after_end::RULE,
        &stop_status::RULE,
        &no_page::RULE,
        &redirect::RULE,
        &affinity::RULE,
    ],
};

/// A client that reconnected to a stream.
struct Return<'r> {
    view: View<'r>,
    /// The stream that it had before.
    before: View<'r>,
}

fn returns<'r>(record: &'r Record<'_>) -> impl Iterator<Item = Return<'r>> {
    record.judged().filter_map(|view| {
        let before = last_stream(record, &view)?;
        Some(Return { view, before })
    })
}

/// The last stream that the client had, in the chain of its returns: one refusal does not make the
/// next one right.
fn last_stream<'r>(record: &'r Record<'_>, view: &View<'r>) -> Option<View<'r>> {
    let mut at = *view;
    loop {
        match coming(record, &at) {
            Coming::Back(before) if before.is_stream() => return Some(before),
            Coming::Back(before) if before.number < at.number => at = before,
            _ => return None,
        }
    }
}

/// Why no answer could be judged: one that another rule judges, or else that there was none.
fn none(other: Option<(usize, Outcome)>, otherwise: &str) -> String {
    match other {
        Some((number, outcome)) => format!("exchange {number} got {}", outcome.describe()),
        None => otherwise.to_owned(),
    }
}

/// The fault of a server to which a client reconnects without getting a stream.
fn not_back(view: &View<'_>, outcome: &Outcome, after: &str) -> Fault {
    let message = format!("a client that reconnects after {after} gets {}", outcome.describe());
    let place = match outcome {
        Outcome::Status(_) => Place::StatusLine,
        _ => Place::Exchange,
    };
    Fault::new(view, place, message).so(outcome.consequence())
}

/// Why a return proves nothing, if that is seen from its outcome alone.
fn doubt(record: &Record<'_>, outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Silent(waited) if !is_hang(record, *waited) => {
            Some(format!("no answer within {}, which may be slowness", shown(*waited)))
        }
        Outcome::Unreachable => Some("the way back was closed: no connection".to_owned()),
        _ => None,
    }
}

/// For mutants: the plan, changed for a client whose last event lies so many events back.
///
/// A client that was cut off a moment ago has missed at most one event; one that waits for the
/// announced reconnection time, two or three.
fn on_return(
    visit: &Visit<'_>,
    behind: RangeInclusive<u64>,
    edit: impl FnOnce(Plan) -> Plan,
) -> Plan {
    let answer = reference::answer(visit);
    let id = visit.request.last_event_id().and_then(|id| id.to_text().parse::<u64>().ok());
    let latest = reference::number_at(visit.now);
    match id.and_then(|id| latest.checked_sub(id)) {
        Some(events) if visit.request.method == "GET" && behind.contains(&events) => edit(answer),
        _ => answer,
    }
}
