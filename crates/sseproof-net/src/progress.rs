//! The state of an open exchange, shared by the recorder and the tasks that wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sseproof_codec::{Decoder, Item, Limits as LineLimits};
use sseproof_http::http2::Part;
use sseproof_record::{
    Chunk, Closed, Ending, Exchange, OnConnection, ResponseReader, SharedConnection, item_bytes,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::limits::{Budget, CHUNK, ENOUGH};
use crate::{Limits, UnreadIn};

/// The bytes of a line that is read while it arrives: the longest payload of a probe has 1 MiB.
const LINE: usize = 2 << 20;

pub struct Progress {
    /// The exchange; the owner of the transcript sets its number, scenario and name.
    pub exchange: Exchange,
    /// The items of its stream, and when each was complete.
    pub items: Vec<(Duration, Item<'static>)>,
    pub ended: bool,
    reader: ResponseReader,
    decoder: Decoder,
    decoded: usize,
    events: usize,
    /// The memory of its bytes and items.
    taken: u64,
    enough: Option<u64>,
    budget: Budget,
    pub(crate) stalled: bool,
    /// The place of bytes that were sent and not read yet.
    pub(crate) unread_in: UnreadIn,
}

impl Progress {
    fn new(exchange: Exchange, limits: Limits, budget: Budget) -> Self {
        Self {
            reader: ResponseReader::new(&exchange.request.method, limits.body),
            exchange,
            items: Vec::new(),
            ended: false,
            decoder: Decoder::with_limits(LineLimits::default().with_line_bytes(LINE)),
            decoded: 0,
            events: 0,
            taken: 0,
            enough: limits.enough,
            budget,
            stalled: false,
            unread_in: UnreadIn::Unknown("there is no connection"),
        }
    }

    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// The reconnection time that the server announced, in milliseconds.
    pub fn reconnection_time(&self) -> Option<u64> {
        self.decoder.reconnection_time()
    }

    pub fn events(&self) -> usize {
        self.events
    }

    /// The exchange is on this connection, and needs its earlier bytes.
    pub(crate) fn begin(&mut self, connection: &SharedConnection) {
        let (sent, received) = {
            let log = connection.lock();
            self.exchange.wire.clone_from(&log.received);
            (log.sent.len(), log.received.len())
        };
        let connection = connection.clone();
        self.exchange.on = Some(OnConnection { connection, sent: sent..sent, received });
    }

    pub(crate) fn sent(&mut self, chunk: &Chunk) {
        if let Some(on) = &mut self.exchange.on {
            on.sent.end += 1;
            self.exchange.sent.push(chunk.clone());
        }
    }

    /// Bytes that arrive after the client has disconnected belong to no exchange: nothing was read
    /// from them, and so nothing may be derived from them.
    pub(crate) fn received(&mut self, chunk: &Chunk) {
        if self.ended && self.exchange.end.how.is_clients() {
            return;
        }
        if let Some(on) = &mut self.exchange.on {
            on.received += 1;
            self.taken += chunk.bytes.len() as u64;
            self.exchange.wire.push(chunk.clone());
        }
    }

    pub(crate) fn read(&mut self, chunk: &Chunk) {
        self.reader.feed(&mut self.exchange, chunk.at, &chunk.bytes);
        self.decode(chunk.at);
    }

    pub(crate) fn part(&mut self, at: Duration, part: Part) {
        self.reader.part(&mut self.exchange, at, part);
        self.decode(at);
    }

    pub(crate) fn closed(&mut self, closed: Closed) {
        self.reader.closed(&mut self.exchange, closed);
        self.decode(closed.at);
    }

    pub(crate) fn end(&mut self, at: Duration, how: Ending) {
        self.reader.end(&mut self.exchange, at, how);
        self.decode(at);
    }

    pub(crate) fn end_over_limit(&mut self, at: Duration) {
        self.end(at, Ending::OverLimit(self.reader.received()));
    }

    fn decode(&mut self, now: Duration) {
        let is_coded = !self.exchange.coded.is_empty();
        for chunk in &self.exchange.body[self.decoded..] {
            // A piece shares the memory of the received bytes, unless it was decompressed.
            let own = if is_coded { chunk.bytes.len() as u64 } else { 0 };
            let mut taken = CHUNK + own;
            let mut items = self.decoder.inspect(&chunk.bytes);
            while let Some(item) = items.next() {
                self.events += usize::from(matches!(item, Item::Event(_)));
                // Rules decode it once more, when these are gone.
                taken += item_bytes(&item);
                self.items.push((chunk.at, item.into_owned()));
            }
            self.budget.take(taken);
            self.taken += taken;
        }
        self.decoded = self.exchange.body.len();
        let shows_enough = |enough: u64| self.events >= ENOUGH && self.taken >= enough;
        if self.budget.is_spent() || self.enough.is_some_and(shows_enough) {
            let how = Ending::OverLimit(self.reader.received());
            self.reader.end(&mut self.exchange, now, how);
        }
        if self.reader.is_over() && !self.ended {
            self.ended = true;
            // A client that disconnects cuts the stream itself; only the server's end can be a
            // wrong one.
            if self.exchange.end.how.is_servers() {
                let anomaly = self.decoder.finish();
                self.items.extend(anomaly.map(|anomaly| (now, Item::Anomaly(anomaly))));
            }
        }
    }
}

/// The clock of a run: microseconds since its start, the resolution of a recording.
#[derive(Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn started_now() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Duration {
        self.at(Instant::now())
    }

    pub(crate) fn at(self, instant: Instant) -> Duration {
        let micros = instant.saturating_duration_since(self.0).as_micros();
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

#[derive(Clone)]
pub(crate) struct Shared {
    progress: Arc<Mutex<Progress>>,
    bell: watch::Sender<()>,
    pub(crate) clock: Clock,
    pub(crate) budget: Budget,
}

impl Shared {
    pub(crate) fn new(exchange: Exchange, clock: Clock, limits: Limits, budget: Budget) -> Self {
        let progress = Progress::new(exchange, limits, budget.clone());
        let progress = Arc::new(Mutex::new(progress));
        Self { progress, bell: watch::Sender::new(()), clock, budget }
    }

    /// After a panic of another owner the progress is still consistent: each change is one step.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Progress, Duration)) {
        change(&mut self.lock(), self.clock.now());
        self.bell.send_replace(());
    }

    pub(crate) fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_http::Request;

    #[test]
    fn bytes_after_the_client_has_disconnected_change_nothing() {
        let connection = SharedConnection::default();
        let begun = Exchange::begun(1, Request::subscribe("http://h/s"), Duration::ZERO);
        let mut progress = Progress::new(begun, Limits::default(), Budget::new(u64::MAX));
        progress.begin(&connection);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
        for (millis, text) in [(1, head), (3, "data: 2\n\n")] {
            let chunk = Chunk { at: Duration::from_millis(millis), bytes: text.into() };
            connection.lock().received.push(chunk.clone());
            progress.received(&chunk);
            progress.read(&chunk);
            progress.end(Duration::from_millis(2), Ending::Disconnected);
        }
        let mut derived = progress.exchange.clone();
        derived.derive(Some(derived.end.clone()));
        assert_eq!(derived, progress.exchange);
        assert_eq!(derived.body_bytes(), b"data: 1\n\n");
    }
}
