//! The record of a run: the [`Transcript`] of its exchanges, the other events of the run, and how
//! both are written, read and redacted.
//!
//! Everything here is pure.
//! Times are [`Duration`](std::time::Duration)s since the start of the run.

mod connection;
mod plain;
mod published;
mod recording;
mod redact;
mod response;
mod role;
mod run_event;
mod tape;
mod transcript;
mod transport;

pub use connection::{Close, Closed, Connection, OnConnection, SharedConnection};
pub use plain::{PlainError, read_plain};
pub use published::{FORGED, FORGED_RETRY, PLAIN, Part, PublishOutcome, Published};
pub use recording::{
    READ_VERSION, RecordingError, read_cut_recording, read_recording, write_recording,
};
pub use redact::{Redacted, Secrets};
pub use response::{
    BodyLimits, HEAD_BYTES, HEAD_FIELDS, ResponseReader, closed_http2, failed, item_bytes,
};
pub use role::{Role, Sample, Side, UnknownRole};
pub use run_event::{Gauge, Lack, Numbered, Reading, RunEvent, RunEventKind};
pub use tape::Tape;
pub use transcript::{
    Chunk, End, Ending, Exchange, Follows, Head, Phase, Phases, Reason, Source, Target, Transcript,
};
pub use transport::Transport;
