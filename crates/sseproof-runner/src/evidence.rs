//! The evidence of a failure, in words.

use sseproof_codec::{Item, decode};
use sseproof_files::{Place, excerpt};
use sseproof_record::{Ending, Exchange, Phase};
use sseproof_units::duration;

use super::tracked::Snapshot;

const ITEMS: usize = 5;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Everything,
    Events,
    Comments,
    Retries,
}

impl About {
    pub(super) fn covers(self, item: &Item<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Events => matches!(item, Item::Event(_)),
            Self::Comments => matches!(item, Item::Comment(_)),
            Self::Retries => matches!(item, Item::Retry(_)),
        }
    }
}

/// The last items of the stream, and its state; the body if the response is not a stream.
pub(super) fn seen(snapshot: &Snapshot<'_>, about: About) -> Vec<String> {
    let exchange = snapshot.exchange;
    if !exchange.is_stream() {
        let body = exchange.body_bytes();
        let body = (!body.is_empty())
            .then(|| format!("the body: {}", excerpt(&String::from_utf8_lossy(&body))));
        return body.into_iter().chain([state(snapshot)]).collect();
    }
    let items: Vec<String> = snapshot
        .items
        .iter()
        .filter(|(_, item)| about.covers(item))
        .filter_map(|(at, item)| Some((at, describe(item)?)))
        .map(|(at, words)| {
            format!("after {}: {words}", duration(at.saturating_sub(exchange.started)))
        })
        .collect();
    let left_out = items.len().saturating_sub(ITEMS);
    let mut lines = Vec::new();
    if left_out > 0 {
        lines.push(format!("{left_out} earlier ones not shown"));
    }
    lines.extend(items.into_iter().skip(left_out));
    lines.push(state(snapshot));
    lines
}

fn describe(item: &Item<'_>) -> Option<String> {
    Some(match item {
        Item::Event(event) => {
            let mut words = "event".to_owned();
            if event.event_type != "message" {
                words.push_str(&format!(" of type {}", excerpt(&event.event_type)));
            }
            if !event.last_event_id.is_empty() {
                words.push_str(&format!(" with id {}", excerpt(&event.last_event_id)));
            }
            format!("{words}: {}", excerpt(&event.data))
        }
        Item::Comment(comment) => {
            format!("comment: {}", excerpt(comment.text.strip_prefix(' ').unwrap_or(&comment.text)))
        }
        Item::Retry(retry) => format!("retry: {} ms", retry.millis),
        Item::UnknownField(field) => {
            format!("an unknown field: {}", excerpt(&field.name))
        }
        _ => return None,
    })
}

fn state(snapshot: &Snapshot<'_>) -> String {
    let exchange = snapshot.exchange;
    let lasted = duration(exchange.end.at.saturating_sub(exchange.started));
    match (&exchange.head, snapshot.ended) {
        (Some(_), true) => {
            format!("{} after {lasted}: {}", ended(&exchange.end.how), answer(exchange))
        }
        (None, true) => format!("after {lasted}: {}", answer(exchange)),
        (Some(_), false) => format!("still open: {}", answer(exchange)),
        (None, false) => "still open: no answer yet".to_owned(),
    }
}

fn ended(how: &Ending) -> &'static str {
    match how {
        Ending::Disconnected => "closed by this scenario",
        Ending::Complete => "ended by the server",
        Ending::Truncated => "cut off by the server before the response was complete,",
        Ending::Reset => "reset by the server",
        Ending::StreamReset(_) => "reset by the server (RST_STREAM)",
        Ending::GoneAway(_) => "ended by the server with its connection (GOAWAY)",
        Ending::OverLimit(_) => "closed because the body exceeded the limit",
        _ => "over",
    }
}

pub(super) fn answer(exchange: &Exchange) -> String {
    let of = exchange.request.label();
    if let Some(head) = &exchange.head {
        let kind = head.headers.first("content-type");
        let kind = kind.map_or_else(|| "without a content type".to_owned(), |kind| excerpt(&kind));
        return format!("{of} was answered by {} {kind}", head.status);
    }
    match &exchange.end.how {
        Ending::Unresolved(why) => {
            format!("{}: the host has no address: {why}", exchange.request.url)
        }
        Ending::Unconnected(why) => format!("{}: no connection: {why}", exchange.request.url),
        Ending::Handshake(why) => format!("{}: {why}", exchange.request.url),
        Ending::TimedOut(Phase::Connect) => {
            format!("{}: no connection in time", exchange.request.url)
        }
        Ending::TimedOut(Phase::Head) => format!("{of} got no answer in time"),
        Ending::Malformed(why) => format!("the answer to {of} cannot be read: {why}"),
        Ending::Reset | Ending::StreamReset(_) => format!("{of} was reset before an answer"),
        _ => format!("{of} got no answer before the connection was closed"),
    }
}

/// Describes a stream without end and without an event, if there is one.
pub(super) fn flood(exchanges: &[Exchange]) -> Option<String> {
    let (of, sent) = exchanges.iter().find_map(|exchange| match exchange.end.how {
        Ending::OverLimit(sent) if exchange.is_stream() => Some((exchange, sent)),
        _ => None,
    })?;
    let has_event = decode(&of.body_bytes()).iter().any(|item| matches!(item, Item::Event(_)));
    (!has_event).then(|| format!("{} sent {sent} bytes and no event", of.request.label()))
}

/// The step as it is written: its line, and those below that are indented deeper.
pub(super) fn step(source: &str, place: Place) -> String {
    let mut lines = source.lines().skip(place.line.saturating_sub(1));
    let first: String = lines.next().unwrap_or_default().chars().skip(place.column - 1).collect();
    let mut step = first;
    for line in lines {
        let indent = line.len() - line.trim_start().len();
        if line.trim().is_empty() || indent < place.column {
            break;
        }
        step.push('\n');
        step.extend(line.chars().skip(place.column - 1));
    }
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_shown_whole_and_alone() {
        let source =
            "steps:\n  - wait: 1s\n  - read:\n      events: 3\n      within: 1s\n  - drop: a\n";
        assert_eq!(step(source, Place { line: 2, column: 5 }), "wait: 1s");
        assert_eq!(step(source, Place { line: 3, column: 5 }), "read:\n  events: 3\n  within: 1s");
    }
}
