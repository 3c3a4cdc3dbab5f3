//! The load server over loopback: what it promises exactly, whatever the machine is busy with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod chat;
mod client;
mod publishing;
mod requests;
mod streams;
mod tls;
