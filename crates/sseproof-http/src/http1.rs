//! Reads the messages of HTTP/1 from bytes (RFC 9112), in both directions.
//!
//! There are two layers and a reader on top of them.
//! [`ResponseHead`] and [`RequestHead`] are views of the start line and the fields in a buffer.
//! [`Body`] is the few bytes of state of an incomplete body: the load generator keeps no more for a
//! connection.
//! [`Reader`] puts both together for a connection that is judged: it takes bytes in pieces of any
//! size, continues after a flaw if a client would, and reports the offset of everything: a rule on
//! framing needs the place of a wrong chunk, and not only the fact.

mod body;
mod flaw;
mod head;
mod reader;

pub use body::{Body, Chunk, ChunkFlaw, Piece, SIZE_LINE};
pub use flaw::{Flaw, FlawKind};
pub use head::{Field, Fields, RequestHead, ResponseHead};
pub use reader::{Head, Message, Part, Progress, Reader, Start};
