//! Sessions of several clients: whether a second client gets one, and one of its own.

use sseproof_http::Plan;

use super::answer;
use super::statuses::is_ended;
use super::traffic::{
    NO_SESSION, NO_VERSION, asked, beginnings, given, has_sessions, header, is_foreign,
    is_initialize, replies, session, unspoken, version,
};
use crate::outcome::{Outcome, count};
use crate::profile::written::Changed;
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const MANY: Rule = Rule {
    id: "mcp/many-sessions",
    judge: many,
    mutants: &[Mutant::new(
        "mcp-one-session",
        "refuses `initialize` after the first one",
        |visit| match visit.earlier > 0 && super::says(visit, "\"initialize\"") {
            true => answer(visit).instead_of(200, || {
                Plan::answer(400, "text/plain", "the server is already initialized\n")
            }),
            false => answer(visit),
        },
    )],
};

/// The requests that begin a session, in the version of the profile.
fn begun<'r>(record: &'r Record<'_>) -> Vec<View<'r>> {
    let wanted = version(record);
    let is_begun = |view: &View<'_>| {
        view.head.is_some() && asked(view)["params"]["protocolVersion"] == *wanted
    };
    beginnings(record).filter(is_begun).collect()
}

fn many(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    if !has_sessions(record) {
        return Verdict::Skip(NO_SESSION.to_owned());
    }
    let begun = begun(record);
    if let Some(fault) = dies(record, &begun) {
        return Verdict::Fail(vec![fault]);
    }
    let (beside, alone): (Vec<_>, Vec<_>) =
        begun.iter().copied().partition(|view| open_session(record, &begun, view).is_some());
    let (served, refused): (Vec<_>, Vec<_>) = beside.into_iter().partition(is_served);
    let is_own = |view: &&View<'_>| !begun.iter().any(|other| is_same(other, view));
    match (served.iter().filter(is_own).count(), refused.as_slice()) {
        (0, []) if served.is_empty() => {
            Verdict::Skip("no client began a session while another one was open".to_owned())
        }
        (0, refused) if served.is_empty() => is_refused(record, &begun, refused, &alone),
        (0, _) => {
            Verdict::Skip("all clients get the same session: see mcp/sessions-apart".to_owned())
        }
        (own, _) => Verdict::Pass(format!("{} began beside others", count(own, "session"))),
    }
}

fn is_refused(
    record: &Record<'_>,
    begun: &[View<'_>],
    refused: &[View<'_>],
    alone: &[View<'_>],
) -> Verdict {
    let first = &refused[0];
    let open = open_session(record, begun, first).map_or(0, |view| view.number);
    let outcome = match is_error(first) {
        true => "an error".to_owned(),
        false => Outcome::of(first).describe(),
    };
    let gets = format!("`initialize` gets {outcome} while the session of exchange {open} is open");
    let is_limit = |view: &View<'_>| matches!(view.status(), Some(401 | 403 | 429 | 503));
    match (refused.iter().any(is_limit), refused.len()) {
        (true, _) => Verdict::Inconclusive(gets),
        (false, 1) => Verdict::Inconclusive(format!("{gets}, once")),
        _ => {
            // Without an open session it is served again, if any client ended one.
            let again = alone.iter().skip(1).any(is_served);
            let what = if again { "; without one it is served" } else { "" };
            let message = format!("the server holds only one session: {gets}{what}");
            Verdict::Fail(vec![Fault::new(first, Place::StatusLine, message)])
        }
    }
}

fn is_error(view: &View<'_>) -> bool {
    view.status() == Some(200) && replies(view).iter().any(|(_, json)| json.get("error").is_some())
}

/// Whether it began a session.
fn is_served(view: &View<'_>) -> bool {
    view.status() == Some(200) && !is_error(view) && given(view).is_some()
}

/// Whether both began a session, and the same one.
fn is_same(view: &View<'_>, other: &View<'_>) -> bool {
    view.number != other.number && given(view).is_some() && given(view) == given(other)
}

/// The client that began a session earlier, if that was not ended before this request.
fn open_session<'a, 'r>(
    record: &Record<'_>,
    begun: &'a [View<'r>],
    view: &View<'_>,
) -> Option<&'a View<'r>> {
    let is_over = |first: &View<'_>| {
        record.all().any(|other| {
            other.request.method == "DELETE"
                && other.number < view.number
                && session(&other) == given(first)
                && other.status().is_some_and(|status| (200..300).contains(&status))
        })
    };
    begun.iter().find(|first| first.number < view.number && is_served(first) && !is_over(first))
}

/// The first request of a session that is refused since another client began one.
///
/// The session was served before, and the new one is served; no session was ever served after another
/// one began.
fn dies(record: &Record<'_>, begun: &[View<'_>]) -> Option<Fault> {
    let in_session = |view: &View<'_>| {
        view.request.method == "POST"
            && view.head.is_some()
            && !is_initialize(view)
            && !is_foreign(view)
            && header(view, "mcp-protocol-version").as_deref() != Some(NO_VERSION)
            && !is_ended(record, view)
    };
    let requests: Vec<_> = record.all().filter(in_session).collect();
    let of = |first: &View<'_>| {
        let named = given(first);
        requests.iter().filter(move |view| header(view, "mcp-session-id") == named)
    };
    let passes = |view: &View<'_>| view.status().is_some_and(|status| status < 400);
    let served: Vec<_> = begun.iter().filter(|view| is_served(view)).collect();
    let mut died = None;
    for (place, first) in served.iter().enumerate() {
        let Some(next) = served[place + 1..].iter().find(|next| !is_same(first, next)) else {
            continue;
        };
        let mut later = of(first).filter(|view| view.number > next.number).peekable();
        if later.peek().is_none() {
            continue;
        }
        if later.clone().any(passes) {
            return None;
        }
        let was_served = of(first).any(|view| view.number < next.number && passes(view));
        let is_replaced = of(next).any(passes);
        let refused = later.find(|view| matches!(view.status(), Some(400 | 404)));
        if let Some(refused) = refused.filter(|_| was_served && is_replaced) {
            died = died.or(Some((*refused, next.number)));
        }
    }
    let (refused, next) = died?;
    let status = refused.status().unwrap_or_default();
    let message = format!(
        "the server holds only one session: a request in it gets {status} after another client's `initialize` (exchange {next})"
    );
    Some(Fault::new(&refused, Place::StatusLine, message))
}

/// Why calls of two sessions were not at the same time, if the server holds only one session.
pub(super) fn is_alone(record: &Record<'_>) -> Option<String> {
    matches!(many(record), Verdict::Fail(_))
        .then(|| "the server holds only one session: see mcp/many-sessions".to_owned())
}

/// Whether another client ended the session of this request by beginning another one.
pub(super) fn is_lost(record: &Record<'_>, view: &View<'_>) -> bool {
    let begun = begun(record);
    let own = begun.iter().find(|first| given(first) == header(view, "mcp-session-id"));
    let is_replaced = |first: &View<'_>| {
        begun
            .iter()
            .any(|next| first.number < next.number && next.number < view.number && is_served(next))
    };
    own.is_some_and(is_replaced) && dies(record, &begun).is_some()
}

/// A fault if another client was given the same session.
pub(super) fn look(record: &Record<'_>, view: &View<'_>, tally: &mut Tally) {
    let begun: Vec<_> = beginnings(record).filter(|other| given(other).is_some()).collect();
    let is_earlier = |other: &&View<'_>| other.number < view.number && is_same(other, view);
    let Some(first) = begun.iter().find(is_earlier) else {
        return;
    };
    let number = first.number;
    let is_alone = |view: &View<'_>| {
        !begun.iter().any(|other| other.number != view.number && other.overlaps(view))
    };
    let each = begun.iter().all(|other| given(other) == given(view));
    let alone: Vec<_> = begun.iter().filter(|view| is_alone(view)).collect();
    let apart = alone.iter().all(|view| !alone.iter().any(|other| is_same(other, view)));
    let message = if each && begun.len() > 2 {
        "`initialize` gives every client the same session id".to_owned()
    } else if first.overlaps(view) && apart && !alone.is_empty() {
        format!(
            "two clients that begin at the same time get the same session (exchange {number}); otherwise each gets its own"
        )
    } else {
        format!("the client gets a session that another one has (exchange {number})")
    };
    tally.fault(|| Fault::header(view, "mcp-session-id", message));
}
