//! How a server answers a `Last-Event-ID` that it never sent.
//!
//! The measure is what the same server does with a plain subscription: only what works there can
//! be broken by an id.

use std::time::Duration;

use sseproof_http::Version;
use sseproof_record::Reason;

use crate::delivery::figures::{shown, time_to_head, waited_in_vain};
use crate::outcome::closes_on_anybody;
use crate::timing::{AT_ONCE, MUCH_LONGER, NO_ANSWER};
use crate::{Fault, Place, Record, Single, Verdict, View};

/// From here on an id is a long one, in bytes.
const LONG: usize = 200;

/// The oddity of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    /// Nothing but that the server does not know it.
    Unknown,
    Empty,
    /// It is some hundred bytes long.
    Long,
    /// It has letters beyond ASCII.
    NonAscii,
}

impl Odd {
    pub(super) fn of(id: &[u8]) -> Self {
        match id {
            [] => Self::Empty,
            id if !id.is_ascii() => Self::NonAscii,
            id if id.len() >= LONG => Self::Long,
            _ => Self::Unknown,
        }
    }

    /// `an unknown id`.
    fn label(self) -> &'static str {
        match self {
            Self::Unknown => "an unknown Last-Event-ID",
            Self::Empty => "an empty Last-Event-ID",
            Self::Long => "a long Last-Event-ID",
            Self::NonAscii => "a Last-Event-ID with letters beyond ASCII",
        }
    }
}

/// The responses to plain subscriptions.
struct Plain {
    /// How long the slowest response headers took.
    head: Duration,
    /// How long the slowest first event took after its headers, if there were events.
    event: Option<Duration>,
    /// Whether one of them was over at once, too.
    is_brief: bool,
}

/// The verdict on the ids of that kind.
pub(super) fn judge_odd(record: &Record<'_>, odd: Odd) -> Verdict {
    let asked: Vec<_> = record.judged().filter(|view| brings(record, view, odd)).collect();
    if asked.is_empty() {
        return Verdict::Skip(format!("no client sent {}", odd.label()));
    }
    let Some(plain) = plain(record) else {
        return Verdict::Skip("no plain subscription was answered by a stream".to_owned());
    };
    if let Some(status) = refused_alike(record, odd, &asked) {
        return Verdict::Skip(format!(
            "every id that the server does not know is answered {status}: see resume/unknown-id"
        ));
    }
    let singles = asked.iter().filter_map(|view| single(record, view, odd, &plain));
    let holds = |_| format!("{} opens a stream", odd.label());
    Single::sum(singles, holds, "the response is that of a redirect")
}

/// The status with which all these ids are refused, where an id with nothing odd about it is
/// refused in the same way: then its length or its letters are not the cause.
fn refused_alike(record: &Record<'_>, odd: Odd, asked: &[View<'_>]) -> Option<u16> {
    let unknown = record.judged().find(|view| brings(record, view, Odd::Unknown))?;
    let status = unknown.status().filter(|status| *status >= 400)?;
    let alike = asked.iter().all(|view| view.status() == Some(status));
    (odd != Odd::Unknown && alike).then_some(status)
}

/// Whether the exchange asks as an `EventSource` does, with an odd id of that kind.
fn brings(record: &Record<'_>, view: &View<'_>, odd: Odd) -> bool {
    let request = &view.request;
    request.method == record.target().method
        && request.version != Version::Http10
        && request.headers.list("accept").iter().any(|media| media == "text/event-stream")
        && request
            .last_event_id()
            .is_some_and(|id| Odd::of(id) == odd && !record.gave_out(&id.to_text(), view.number))
}

fn plain(record: &Record<'_>) -> Option<Plain> {
    let plain: Vec<_> = record
        .subscriptions()
        .filter(|view| view.request.last_event_id().is_none() && view.is_stream())
        .collect();
    let first_event =
        |view: &View<'_>| Some(view.first_event()?.saturating_sub(view.head.as_ref()?.at));
    Some(Plain {
        head: plain.iter().filter_map(time_to_head).max()?,
        event: plain.iter().filter_map(first_event).max(),
        is_brief: plain.iter().any(is_brief),
    })
}

/// Whether the server ended the stream at once, without an event.
fn is_brief(view: &View<'_>) -> bool {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    view.ended_by_server()
        && view.first_event().is_none()
        && view.end.at.saturating_sub(head) <= AT_ONCE
}

/// The verdict on one exchange; `None` if another one shows it.
fn single(record: &Record<'_>, view: &View<'_>, odd: Odd, plain: &Plain) -> Option<Single> {
    const FOR_GOOD: &str = "a client that sends it stops for good, until the page is reloaded";
    let label = odd.label();
    let fault = |place, message: String| Some(Single::Broken(Fault::new(view, place, message)));
    let doubt = |why: String| Some(Single::Unclear(why));
    let Some(status) = view.status() else { return no_head(record, view, odd, plain) };
    let redirects = |next: View<'_>| {
        record.followed(&next, Reason::Redirect).is_some_and(|from| from.number == view.number)
    };
    match status {
        300..400 if record.all().any(redirects) => None,
        200 if !view.is_stream() => fault(
            Place::Header("content-type".to_owned()),
            format!("{label} is answered without an event stream"),
        ),
        200 if is_brief(view) && !plain.is_brief => {
            let message = format!("{label} gets a stream that ends at once");
            let fault = Fault::whole(view, message).so(
                "a client reconnects with the same id again and again, and never gets an event",
            );
            Some(Single::Broken(fault))
        }
        200 => {
            let quiet = view.head.as_ref().map(|head| view.end.at.saturating_sub(head.at));
            match (view.first_event(), plain.event, quiet) {
                (None, Some(usual), Some(quiet)) if !view.is_encoded() => doubt(format!(
                    "{label} got no event within {}; a plain subscription has one after {}",
                    shown(quiet),
                    shown(usual)
                )),
                _ => Some(Single::Holds),
            }
        }
        status if record.subscriptions().any(|other| other.status() == Some(status)) => {
            doubt(format!("{label} is answered {status}, and so is a plain subscription"))
        }
        429 => doubt(format!("{label} is answered 429: there were too many requests")),
        status => {
            let fault =
                Fault::new(view, Place::StatusLine, format!("{label} is answered {status}"));
            Some(Single::Broken(fault.so(FOR_GOOD)))
        }
    }
}

fn no_head(record: &Record<'_>, view: &View<'_>, odd: Odd, plain: &Plain) -> Option<Single> {
    let label = odd.label();
    let doubt = |why: String| Some(Single::Unclear(why));
    let usual = shown(plain.head);
    match (waited_in_vain(view), &view.end.how) {
        (Some(waited), _) if waited >= NO_ANSWER && waited >= plain.head * MUCH_LONGER => {
            let message = format!(
                "{label} has no answer within {}; a plain subscription has one after {usual}",
                shown(waited)
            );
            Some(Single::Broken(Fault::whole(view, message)))
        }
        (Some(waited), _) => doubt(format!(
            "{label} had no answer within {}; a plain subscription waits for {usual}",
            shown(waited)
        )),
        (None, how) if how.is_cut() && closes_on_anybody(record) => {
            doubt(format!("the connection is closed on {label}, and on a plain subscription too"))
        }
        (None, how) if how.is_cut() => {
            let message = format!("the connection is closed on {label}, without an answer");
            Some(Single::Broken(Fault::whole(view, message)))
        }
        (None, how) => doubt(format!("{label} has no answer to judge: {how:?}")),
    }
}
