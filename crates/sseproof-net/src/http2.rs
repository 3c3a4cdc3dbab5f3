//! HTTP/2, written by hand on both sides.
//!
//! The client has to continue if a strict one would not (a forbidden field must be named, not only
//! refused), and to give one stream no window while others flow; the lab server has to be wrong on
//! purpose.

mod client;
mod connection;
mod server;

pub(crate) use client::{Asked, Handle};
pub(crate) use connection::{Connection, Link, Origin};
pub(crate) use server::serve;
