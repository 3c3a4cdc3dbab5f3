//! Reads the bytes of a socket without one: pure, and without a buffer while idle.

pub(crate) mod head;
pub(crate) mod websocket;
