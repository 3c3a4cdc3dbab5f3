//! An exchange under way, as the recorder and whoever waits for it share it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sseproof_codec::{Decoder, Item};
use sseproof_record::{Bytes, Chunk, Coding, End, Ending, Exchange, Head, Undoing};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Between;

/// How much of what we send is kept, in bytes: a head in any case, and bodies that one can read.
const SENT: usize = 256 << 10;

/// What is known of an exchange so far.
pub struct Progress {
    /// The exchange; its number, scenario and name are set by whoever keeps the transcript.
    pub exchange: Exchange,
    /// What its stream carried, and when each item was complete.
    pub items: Vec<(Duration, Item<'static>)>,
    /// Whether it is over.
    pub ended: bool,
    decoder: Decoder,
    undoing: Option<Undoing>,
    /// How many bytes of the body can be read.
    readable: u64,
    /// What the wire may still hold.
    wire_room: u64,
    /// What may still be kept of what we send.
    sent_room: usize,
    /// Whether the peer reset the connection.
    pub(crate) was_reset: bool,
    /// What TLS says that went wrong behind the handshake.
    pub(crate) tls_fault: Option<String>,
    /// Whether nothing is read any more, although the connection stays.
    pub(crate) stalled: bool,
    /// Where that lies which was sent and not read yet.
    pub(crate) between: Between,
}

impl Progress {
    fn new(exchange: Exchange, wire_room: u64) -> Self {
        Self {
            exchange,
            items: Vec::new(),
            ended: false,
            decoder: Decoder::new(),
            undoing: None,
            readable: 0,
            wire_room,
            sent_room: SENT,
            was_reset: false,
            tls_fault: None,
            stalled: false,
            between: Between::Hidden("there is no connection"),
        }
    }

    /// The last event ID as a client would send it now.
    pub fn last_event_id(&self) -> &str {
        self.decoder.last_event_id()
    }

    /// The reconnection time that the server announced, in milliseconds.
    pub fn reconnection_time(&self) -> Option<u64> {
        self.decoder.reconnection_time()
    }

    /// How many events came so far.
    pub fn events(&self) -> usize {
        self.items.iter().filter(|(_, item)| matches!(item, Item::Event(_))).count()
    }

    /// How many pieces there are to keep in memory.
    pub(crate) fn pieces(&self) -> usize {
        self.items.len().max(self.exchange.body.len()).max(self.exchange.coded.len())
    }

    /// The head; from here on, the body is undone as it says.
    pub(crate) fn set_head(&mut self, head: Head) {
        self.undoing = Coding::of(&head.headers).map(Undoing::new);
        self.exchange.head = Some(head);
    }

    /// A piece of the body, as it came.
    pub(crate) fn add_body(&mut self, at: Duration, bytes: &[u8]) {
        let Some(undoing) = &mut self.undoing else { return self.add_readable(at, bytes) };
        self.exchange.coded.push(Chunk { at, bytes: Bytes::from(bytes) });
        let readable = undoing.feed(bytes);
        self.exchange.coding_fault = undoing.found().cloned();
        if !readable.is_empty() {
            self.add_readable(at, &readable);
        }
    }

    /// How many bytes of the body can be read: more than came, where it was compressed.
    pub(crate) fn readable(&self) -> u64 {
        self.readable
    }

    fn add_readable(&mut self, at: Duration, bytes: &[u8]) {
        self.readable += bytes.len() as u64;
        let mut items = self.decoder.inspect(bytes);
        while let Some(item) = items.next() {
            self.items.push((at, item.into_owned()));
        }
        drop(items);
        self.exchange.body.push(Chunk { at, bytes: Bytes::from(bytes) });
    }

    /// What goes out, as a part of the request or beside it.
    pub(crate) fn add_sent(&mut self, at: Duration, bytes: &[u8]) {
        let kept = bytes.len().min(self.sent_room);
        self.sent_room -= kept;
        if kept > 0 {
            self.exchange.sent.push(Chunk { at, bytes: Bytes::from(&bytes[..kept]) });
        }
    }

    fn add_wire(&mut self, at: Duration, bytes: &[u8]) {
        let kept = bytes.len().min(usize::try_from(self.wire_room).unwrap_or(usize::MAX));
        self.wire_room -= kept as u64;
        if kept > 0 {
            self.exchange.wire.push(Chunk { at, bytes: Bytes::from(&bytes[..kept]) });
        }
    }

    pub(crate) fn end(&mut self, at: Duration, how: Ending) {
        if !self.ended {
            self.ended = true;
            if let Some(mut undoing) = self.undoing.take() {
                let readable = undoing.finish();
                self.exchange.coding_fault = undoing.found().cloned();
                // It could be read when the last piece came, and nobody looked.
                let last = self.exchange.coded.last().map_or(at, |chunk| chunk.at);
                if !readable.is_empty() {
                    self.add_readable(last, &readable);
                }
            }
            // Who leaves cuts the stream himself; only the server's own end can be a wrong one.
            if how.is_servers() {
                let anomaly = self.decoder.finish();
                self.items.extend(anomaly.map(|anomaly| (at, Item::Anomaly(anomaly))));
            }
            self.exchange.end = End { at, how };
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

/// The shared progress, with a bell that rings at each change.
#[derive(Clone)]
pub(crate) struct Shared {
    progress: Arc<Mutex<Progress>>,
    bell: watch::Sender<()>,
    pub(crate) clock: Clock,
}

impl Shared {
    pub(crate) fn new(exchange: Exchange, clock: Clock, wire_room: u64) -> Self {
        let progress = Arc::new(Mutex::new(Progress::new(exchange, wire_room)));
        Self { progress, bell: watch::Sender::new(()), clock }
    }

    /// A panic of another holder leaves a progress that is still whole: each change is one step.
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

    pub(crate) fn saw_wire(&self, bytes: &[u8]) {
        self.change(|progress, now| progress.add_wire(now, bytes));
    }
}
