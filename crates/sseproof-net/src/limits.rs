//! Limits on the memory and the time of one exchange.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body that are recorded; then the client disconnects.
    pub body_bytes: u64,
    /// The most pieces of a body, and the most items of a stream, that are recorded: tiny ones take
    /// many times their bytes in memory.
    pub pieces: usize,
    pub connect: Duration,
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            pieces: 100_000,
            connect: Duration::from_secs(5),
            head: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// The most bytes of a connection that are recorded for each exchange on it: headers, and
    /// bodies with the framing of tiny chunks.
    pub(crate) fn wire_bytes(&self) -> u64 {
        (1 << 20) + 2 * self.body_bytes
    }
}
