//! What bounds the memory and the time of one exchange.

use std::time::Duration;

/// The limits of the recording client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body that are recorded; then the client leaves.
    pub body_bytes: u64,
    /// The most bytes that the head of a response may have.
    pub head_bytes: usize,
    /// The longest wait for a connection.
    pub connect: Duration,
    /// The longest wait for a head.
    pub head: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 16 << 20,
            head_bytes: 256 << 10,
            connect: Duration::from_secs(5),
            head: Duration::from_secs(5),
        }
    }
}
