//! HTTP/1 messages read from bytes (RFC 9112), in both directions.
//!
//! There are two layers and a reader on top of them.
//! [`ResponseHead`] and [`RequestHead`] are views of a head in a buffer; [`Body`] is the few bytes
//! that a body under way needs, which is all that the load generator keeps for a connection.
//! [`Reader`] puts both together for a connection that is judged: it takes bytes in pieces of any
//! size, goes on after a flaw if a client would, and gives the offset of everything.

mod body;
mod flaw;
mod head;
mod reader;

pub use body::{Body, Chunk, ChunkFlaw, Piece};
pub use flaw::{Flaw, FlawKind};
pub use head::{Field, Fields, RequestHead, ResponseHead};
pub use reader::{Head, Message, Part, Progress, Reader, Start};
