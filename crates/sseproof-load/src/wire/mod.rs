//! Reads the bytes of a socket without one: pure, and without a buffer while idle.

/// The most bytes of a line, an event or a message: a hundred clients may each have half of one.
pub(crate) const EVENT: usize = 1 << 20;

pub(crate) mod content;
pub(crate) mod head;
pub(crate) mod inflate;
pub(crate) mod permessage;
pub(crate) mod websocket;
