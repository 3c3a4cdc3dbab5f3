//! A transcript with its bodies decoded once, and the queries of rules on it.

use std::collections::HashMap;
use std::ops::Deref;
use std::time::Duration;

use sseproof_codec::{Anomaly, Comment, Event, Item, Retry, decode};
use sseproof_http::{Coding, Version};
use sseproof_record::{Exchange, Reason, RunEvent, Source, Target, Transcript};

use crate::chunks::{Chunks, chunks};

/// A transcript, ready to be judged.
pub struct Record<'t> {
    transcript: &'t Transcript,
    streams: Vec<Decoded>,
    /// Each id of an event, and the number of the first exchange that carried it.
    ids: HashMap<Box<str>, usize>,
}

/// The body of an exchange.
struct Decoded {
    items: Vec<TimedItem>,
    /// The end of each piece of the body: a hundred thousand items search theirs.
    ends: Vec<u64>,
    chunks: Option<Chunks>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedItem {
    pub item: Item<'static>,
    /// When its last byte arrived.
    pub at: Duration,
}

/// One exchange with its decoded stream. Derefs to the [`Exchange`].
#[derive(Clone, Copy)]
pub struct View<'r> {
    exchange: &'r Exchange,
    decoded: &'r Decoded,
}

impl Deref for View<'_> {
    type Target = Exchange;
    fn deref(&self) -> &Exchange {
        self.exchange
    }
}

impl<'t> Record<'t> {
    /// Decodes every body of the transcript.
    ///
    /// An incomplete block at the end is an anomaly of the server only if the server ended the
    /// exchange ([`View::ended_by_server`]); it is left out otherwise.
    pub fn new(transcript: &'t Transcript) -> Self {
        let streams: Vec<_> = transcript.exchanges.iter().map(Decoded::of).collect();
        let mut ids = HashMap::new();
        for (exchange, decoded) in transcript.exchanges.iter().zip(&streams) {
            for event in decoded.items.iter().filter_map(event) {
                let id = &*event.last_event_id;
                if !id.is_empty() && !ids.contains_key(id) {
                    ids.insert(id.into(), exchange.number);
                }
            }
        }
        Self { transcript, streams, ids }
    }

    pub fn target(&self) -> &'t Target {
        &self.transcript.target
    }

    /// The actions and readings of the run besides the exchanges.
    pub fn run_events(&self) -> &'t [RunEvent] {
        &self.transcript.run_events
    }

    pub fn source(&self) -> Source {
        self.transcript.source
    }

    /// Every exchange, also those that the standing rules do not judge.
    pub fn all(&self) -> impl Iterator<Item = View<'_>> {
        self.transcript
            .exchanges
            .iter()
            .zip(&self.streams)
            .map(|(exchange, decoded)| View { exchange, decoded })
    }

    /// The exchanges that the standing rules judge.
    pub fn judged(&self) -> impl Iterator<Item = View<'_>> {
        self.all().filter(|view| view.judged)
    }

    /// The judged exchanges whose response a client reads as an event stream (200 and the media
    /// type), except HEAD, with a body that can be read: without a content coding, or decoded.
    pub fn streams(&self) -> impl Iterator<Item = View<'_>> {
        self.streams_in_any_coding().filter(|view| !view.is_encoded())
    }

    /// The same, and those in a content coding that cannot be decoded.
    pub fn streams_in_any_coding(&self) -> impl Iterator<Item = View<'_>> {
        self.judged().filter(|view| view.is_stream() && view.request.method != "HEAD")
    }

    /// The judged exchanges with the request of an `EventSource`: the target's method, HTTP/1.1 or
    /// later, `Accept: text/event-stream`, no `Connection: close`, and no `Last-Event-ID` except
    /// one from this server.
    pub fn subscriptions(&self) -> impl Iterator<Item = View<'_>> {
        self.judged().filter(|view| self.is_subscription(view))
    }

    /// Whether the request is that of an `EventSource`: see [`Record::subscriptions`].
    pub fn is_subscription(&self, view: &View<'_>) -> bool {
        let request = &view.request;
        request.method == self.target().method
            && request.version != Version::Http10
            && request.headers.list("accept").iter().any(|media| media == "text/event-stream")
            && !request.headers.list("connection").iter().any(|option| option == "close")
            && request.last_event_id().is_none_or(|id| self.gave_out(&id.to_text(), view.number))
    }

    /// Whether an exchange before the one of that number carried an event with this id.
    pub fn gave_out(&self, id: &str, before: usize) -> bool {
        self.ids.get(id).is_some_and(|&first| first < before)
    }

    pub fn exchange(&self, number: usize) -> Option<View<'_>> {
        self.all().find(|view| view.number == number)
    }

    pub fn followed(&self, view: &View<'_>, reason: Reason) -> Option<View<'_>> {
        let follows = view.follows.filter(|follows| follows.reason == reason)?;
        self.exchange(follows.exchange)
    }
}

impl<'r> View<'r> {
    /// The exchange itself, for as long as the record lives.
    pub fn exchange(&self) -> &'r Exchange {
        self.exchange
    }

    /// Everything in the stream, in order.
    pub fn seen(&self) -> &'r [TimedItem] {
        &self.decoded.items
    }

    pub fn events(&self) -> impl Iterator<Item = (&'r Event<'static>, Duration)> + use<'r> {
        self.seen().iter().filter_map(|seen| Some((event(seen)?, seen.at)))
    }

    pub fn comments(&self) -> impl Iterator<Item = (&'r Comment<'static>, Duration)> + use<'r> {
        self.seen().iter().filter_map(|seen| match &seen.item {
            Item::Comment(comment) => Some((comment, seen.at)),
            _ => None,
        })
    }

    /// The `retry` fields that count, and when each arrived.
    pub fn retries(&self) -> impl Iterator<Item = (Retry, Duration)> + use<'r> {
        self.seen().iter().filter_map(|seen| match &seen.item {
            Item::Retry(retry) => Some((*retry, seen.at)),
            _ => None,
        })
    }

    pub fn anomalies(&self) -> impl Iterator<Item = Anomaly> + use<'r> {
        self.seen().iter().filter_map(|seen| match &seen.item {
            Item::Anomaly(anomaly) => Some(*anomaly),
            _ => None,
        })
    }

    /// When the byte at the offset of the body arrived; past the end, when the exchange ended.
    pub fn arrival(&self, offset: u64) -> Duration {
        arrival(self.exchange, &self.decoded.ends, offset)
    }

    pub fn first_event(&self) -> Option<Duration> {
        self.events().next().map(|(_, at)| at)
    }

    /// The chunk sizes among the bytes of the stream: see `response/transfer-encoding`.
    pub(crate) fn chunks(&self) -> Option<&'r Chunks> {
        self.decoded.chunks.as_ref()
    }

    /// Whether the body has chunk sizes in it, or is in a content coding that could not be decoded,
    /// so that its bytes are not the stream's.
    pub fn is_encoded(&self) -> bool {
        let is_known =
            || self.head.as_ref().is_some_and(|head| Coding::of(&head.headers).is_some());
        self.chunks().is_some()
            || self.is_compressed() && (self.coding_fault.is_some() || !is_known())
    }

    /// Whether the body came in a content coding that clients decode. An unknown name (`none` is a
    /// common one) changes no byte.
    pub fn is_compressed(&self) -> bool {
        self.head.as_ref().is_some_and(|head| {
            let named = head.headers.list("content-encoding");
            named.iter().any(|coding| Coding::is_registered(coding))
        })
    }

    /// Whether the bytes on the wire are recorded, and are HTTP/1.
    pub fn has_http1_wire(&self) -> bool {
        !self.wire.is_empty() && self.request.version.is_http1()
    }

    pub fn is_http2(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.version == Version::Http2)
    }

    /// Whether the server, and not the client, ended the exchange after the response headers.
    pub fn ended_by_server(&self) -> bool {
        self.head.is_some() && self.end.how.is_servers()
    }

    pub fn lasted(&self) -> Duration {
        self.end.at.saturating_sub(self.started)
    }

    /// Whether the two exchanges were open at the same time.
    pub fn overlaps(&self, other: &View<'_>) -> bool {
        self.started < other.end.at && other.started < self.end.at
    }
}

impl Decoded {
    fn of(exchange: &Exchange) -> Self {
        let body = exchange.body_bytes();
        let is_read = exchange.is_stream() && exchange.coding_fault.is_none();
        let chunks = if is_read { chunks(&body) } else { None };
        let mut end = 0;
        let ends = exchange.body.iter().map(|chunk| {
            end += chunk.bytes.len() as u64;
            end
        });
        let ends: Vec<_> = ends.collect();
        Self { items: items(exchange, &body, &ends), ends, chunks }
    }
}

fn event(seen: &TimedItem) -> Option<&Event<'static>> {
    match &seen.item {
        Item::Event(event) => Some(event),
        _ => None,
    }
}

fn arrival(exchange: &Exchange, ends: &[u64], offset: u64) -> Duration {
    let piece = ends.partition_point(|&end| end <= offset);
    exchange.body.get(piece).map_or(exchange.end.at, |chunk| chunk.at)
}

fn items(exchange: &Exchange, body: &[u8], ends: &[u64]) -> Vec<TimedItem> {
    let ended = exchange.head.is_some() && exchange.end.how.is_servers();
    decode(body)
        .into_iter()
        .filter(|item| ended || !is_cut_by_us(item, body.len() as u64))
        .map(|item| {
            let last = item.span().end.saturating_sub(1);
            let last = last.min(body.len().saturating_sub(1) as u64);
            TimedItem { at: arrival(exchange, ends, last), item }
        })
        .collect()
}

/// Whether the anomaly is only the end of the body, caused by the client's disconnect.
fn is_cut_by_us(item: &Item<'_>, end: u64) -> bool {
    use sseproof_codec::AnomalyKind::{InvalidUtf8, UnterminatedBlock};
    match item {
        Item::Anomaly(anomaly) => match anomaly.kind {
            UnterminatedBlock => true,
            InvalidUtf8 => anomaly.span.end == end && anomaly.span.len() < 4,
            _ => false,
        },
        _ => false,
    }
}
