//! What comes off a socket, taken apart without one: pure, and without a buffer while idle.

pub(crate) mod head;
pub(crate) mod websocket;
