//! The load server over loopback: exact checks that hold on a busy machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chat;
mod client;
mod publishing;
mod requests;
mod streams;
mod tls;
