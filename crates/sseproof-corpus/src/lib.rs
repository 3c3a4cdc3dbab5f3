//! Event streams and their meaning: the corpus of `specs/corpus`, and the same streams with other
//! line ends and in pieces. Parsers and whole clients are judged by it.

mod corpus;
mod expand;

pub use corpus::{Anomaly, Case, Event, corpus};
pub use expand::{LineEnds, Stream, json, streams};
