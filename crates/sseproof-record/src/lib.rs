//! What crosses the wire, as plain values: the [`Request`], the [`Plan`] that a server plays, and
//! the [`Transcript`] of what a client saw.
//!
//! Everything here is pure.
//! Times are [`Duration`](std::time::Duration)s since the start of the run; nobody here asks a clock.

mod bytes;
mod coding;
mod happening;
mod headers;
pub mod http2;
mod plain;
mod plan;
mod published;
mod recording;
mod redact;
mod request;
mod tape;
mod transcript;
mod transport;
mod visit;

pub use bytes::Bytes;
pub use coding::{Coding, CodingFault, Undoing};
pub use happening::{Gauge, Happening, Lack, Reading, What};
pub use headers::{Header, Headers};
pub use plain::{PlainError, read_plain};
pub use plan::{Action, Departure, Framing, Plan};
pub use published::{FORGED, FORGED_RETRY, PLAIN, Part, PublishOutcome, Published};
pub use recording::{
    READ_VERSION, RecordingError, read_cut_recording, read_recording, write_recording,
};
pub use redact::Secrets;
pub use request::{EVENT_STREAM, Request, Version};
pub use tape::Tape;
pub use transcript::{
    Chunk, End, Ending, Exchange, Follows, Head, Phase, Phases, Reason, Source, Target, Transcript,
};
pub use transport::Transport;
pub use visit::{Answer, Visit};
