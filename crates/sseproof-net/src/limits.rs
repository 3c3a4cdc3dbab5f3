//! Limits on the memory and the time of one exchange, and on the memory of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sseproof_record::BodyLimits;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most of a body that is recorded; then the client disconnects.
    pub body: BodyLimits,
    /// The most memory of a stream with [`ENOUGH`] events, if that many show all that the client
    /// wants to see: then it disconnects, so that a server with many events takes no more than
    /// others.
    pub enough: Option<u64>,
    /// The most bytes of memory that all exchanges of a run may take together, roughly: then no
    /// more is read, and the run ends with what it has.
    pub run_bytes: u64,
    pub connect: Duration,
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BodyLimits::RUN,
            enough: None,
            run_bytes: 64 << 20,
            connect: Duration::from_secs(5),
            head: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The most bytes of a connection that are recorded for each exchange on it: headers, and
    /// bodies with the framing of tiny chunks.
    pub(crate) fn wire_bytes(&self) -> u64 {
        (1 << 20) + 2 * self.body.received
    }
}

/// How long a whole check may take, if its options do not say otherwise.
pub const DEADLINE: &str = "5m";

/// How many events of a stream show all that a probe looks for.
pub const ENOUGH: usize = 100;

/// The most bytes of replies (to PING, SETTINGS and DATA of HTTP/2) that wait until the server reads.
pub const REPLIES: usize = 1 << 20;

/// The most frames of HTTP/2 without content in a row: PING, SETTINGS, empty DATA.
pub const EMPTY_FRAMES: usize = 10_000;

/// The memory of a chunk in the records of its connection and its exchange, besides its bytes.
pub(crate) const CHUNK: u64 = 160;

/// How much of [`Limits::run_bytes`] is left. Clones share it.
#[derive(Clone)]
pub(crate) struct Budget(Arc<AtomicU64>);

impl Budget {
    pub(crate) fn new(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    pub(crate) fn take(&self, bytes: u64) {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        // The closure always gives a value.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}
