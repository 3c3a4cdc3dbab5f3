//! Streams that share an HTTP/2 connection.

use std::time::Duration;

use sseproof_http::http2::{Frame, error_name, kind};
use sseproof_record::{Ending, Phase, Role};

use crate::delivery::figures::{Spread, shown};
use crate::outcome::{Outcome, is_hang};
use crate::timing::NO_ANSWER;
use crate::{Fault, Record, Single, View};

pub(super) const PAGES: &str = "over HTTP/2 a browser puts every stream and every other request to the same origin on one connection, of all its tabs";

/// The number of the setting that says how many streams may be open.
const MAX_CONCURRENT_STREAMS: u16 = 3;

/// The streams that joined the connection of another one, and that one. `windowless` chooses
/// between those beside a stream that has a window of its own and those beside one that has all it wants.
pub(super) fn joined<'r>(
    record: &'r Record<'_>,
    windowless: bool,
) -> impl Iterator<Item = (View<'r>, View<'r>)> {
    record.all().filter_map(move |view| {
        let opener = record.exchange(view.transport.shares?)?;
        let is_meant = opener.transport.window.is_some() == windowless;
        // `transport/cancelled-streams` judges those that are cancelled at once.
        let is_beside = opener.number != view.number
            && opener.is_stream()
            && view.role != Some(Role::Cancelled);
        (is_meant && is_beside && !is_drained(&view, &opener)).then_some((view, opener))
    })
}

/// Whether the server drained the connection before it took the stream: a graceful GOAWAY only
/// sends the client to another connection.
fn is_drained(view: &View<'_>, opener: &View<'_>) -> bool {
    let wire = opener.wire_bytes();
    let last = frames(&wire).find_map(|frame| match (frame.kind, frame.payload) {
        (kind::GOAWAY, [last @ .., 0, 0, 0, 0]) if last.len() == 4 => {
            Some(u32::from_be_bytes([last[0], last[1], last[2], last[3]]))
        }
        _ => None,
    });
    last.is_some_and(|last| view.transport.stream.is_none_or(|stream| stream > last))
}

/// Whether the events of the stream come beside the one that opened the connection.
pub(super) fn single(record: &Record<'_>, view: &View<'_>, opener: &View<'_>) -> Single {
    let beside =
        format!("beside the open stream of exchange {}, on the same connection", opener.number);
    let Some(head) = &view.head else { return no_head(record, view, opener, &beside) };
    let late = head.at.saturating_sub(view.started);
    let outwaited = opener.ended_by_server()
        && (view.started..=head.at).contains(&opener.end.at)
        && is_hang(record, late);
    if outwaited {
        let limit = limit(opener).map(allowed).unwrap_or_default();
        let number = opener.number;
        let message = format!(
            "the response headers came after {}, when the stream of exchange {number} on the same connection was over{limit}",
            shown(late)
        );
        return Single::Broken(Fault::whole(view, message));
    }
    if !view.is_stream() {
        return Single::Unclear(format!("{} came {beside}", Outcome::of(view).describe()));
    }
    if view.first_event().is_some() {
        return Single::Holds;
    }
    let watched = view.end.at.saturating_sub(head.at);
    let message =
        format!("no event came within {} of the response headers {beside}", shown(watched));
    match first_events(record, watched) {
        Some(alone) if !view.ended_by_server() => {
            let alone = shown(alone.max);
            let message = format!(
                "{message}; a stream alone on its connection has its first one after {alone}"
            );
            Single::Broken(Fault::whole(view, message))
        }
        _ => Single::Unclear(message),
    }
}

fn no_head(record: &Record<'_>, view: &View<'_>, opener: &View<'_>, beside: &str) -> Single {
    let waited = view.end.at.saturating_sub(view.started);
    match view.end.how {
        Ending::StreamReset(code) => {
            let message = format!("the stream was refused with {} {beside}", error_name(code));
            Single::Broken(Fault::whole(view, message))
        }
        Ending::Disconnected | Ending::TimedOut(Phase::Head) => {
            let limit = limit(opener).filter(|_| view.transport.stream.is_none());
            let limit = limit.map(allowed).unwrap_or_default();
            let message =
                format!("no response headers came within {} {beside}{limit}", shown(waited));
            if is_hang(record, waited) {
                Single::Broken(Fault::whole(view, message))
            } else {
                Single::Unclear(message)
            }
        }
        _ => Single::Unclear(format!("{} {beside}", Outcome::of(view).describe())),
    }
}

fn allowed(most: u32) -> String {
    format!(": the server allows {most} at a time (SETTINGS_MAX_CONCURRENT_STREAMS)")
}

/// How long the first event takes on a connection of its own, where this much waiting is clearly
/// too long.
fn first_events(record: &Record<'_>, waited: Duration) -> Option<Spread> {
    let plain = || {
        record
            .streams()
            .filter(|view| record.is_subscription(view) && view.transport.shares.is_none())
    };
    let after_head =
        |view: &View<'_>, at: Duration| view.head.as_ref().map(|head| at.saturating_sub(head.at));
    let is_quiet = |view: &View<'_>| {
        view.first_event().is_none() && after_head(view, view.end.at) >= Some(NO_ANSWER)
    };
    if plain().any(|view| is_quiet(&view)) {
        return None;
    }
    let times = plain().filter_map(|view| after_head(&view, view.first_event()?));
    Spread::of(times).filter(|times| {
        waited >= NO_ANSWER && waited >= times.median * 4 && waited >= times.max * 2
    })
}

/// How many streams the server allows at a time, where it says so.
fn limit(view: &View<'_>) -> Option<u32> {
    let wire = view.wire_bytes();
    let settings = frames(&wire).filter(|frame| frame.kind == kind::SETTINGS);
    let limits = settings.filter_map(|frame| {
        frame.settings().filter(|(which, _)| *which == MAX_CONCURRENT_STREAMS).last()
    });
    limits.last().map(|(_, to)| to)
}

/// The whole frames that the server sent.
fn frames(wire: &[u8]) -> impl Iterator<Item = Frame<'_>> {
    let mut rest = wire;
    std::iter::from_fn(move || {
        let frame = Frame::read(rest)?;
        rest = &rest[frame.length()..];
        Some(frame)
    })
}
