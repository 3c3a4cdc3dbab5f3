//! What a run published to a stream while it had that stream open.

use serde::{Deserialize, Serialize};

/// What dangerous payloads have behind the name of a field: a client that finds it as a whole value
/// was made to read data as a field.
pub const FORGED: &str = "sseproof-forged";
/// The same for a `retry` field, in milliseconds.
pub const FORGED_RETRY: u64 = 86_399_999;

/// One publication, and what became of the request for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What is dangerous about the data (`a line feed`); `None` for a sentinel, which marks the
    /// place in the stream where what was published before it must have come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The data that was meant, before any encoding.
    pub data: String,
    /// What became of it.
    pub outcome: PublishOutcome,
}

/// What became of a publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PublishOutcome {
    /// The server took it.
    Accepted,
    /// The server said no, with its words (`POST /publish answered 422`).
    Refused(String),
    /// The server broke over it, with its words (`POST /publish answered 500`).
    Failed(String),
    /// There was no answer in time.
    Unanswered(String),
    /// It was not sent, because the request has no form for it.
    Unsendable(String),
}

impl PublishOutcome {
    /// What was said, where it was not taken.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Refused(said)
            | Self::Failed(said)
            | Self::Unanswered(said)
            | Self::Unsendable(said) => Some(said),
        }
    }
}
