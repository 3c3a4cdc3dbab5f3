//! The publications of a run to a stream that it had open.

use serde::{Deserialize, Serialize};

/// The value of the injected fields in dangerous payloads: a client that gets it as a whole value
/// has read data as a field.
pub const FORGED: &str = "sseproof-forged";
/// The same for a `retry` field, in milliseconds.
pub const FORGED_RETRY: u64 = 86_399_999;
/// An event name, id or comment that a server has no reason to change: if even this does not
/// arrive, the others prove nothing.
pub const PLAIN: &str = "sseproof-plain";

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The dangerous part (`a line feed`); `None` for a sentinel, which marks the place in the
    /// stream where all earlier publications must have arrived, and for an event that was
    /// published only so that there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The data, before any encoding.
    pub data: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The seed of a generated payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    pub outcome: PublishOutcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Data,
    /// Its name, which clients call its type.
    Event,
    Id,
    Comment,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Data, Self::Event, Self::Id, Self::Comment];

    pub const fn variable(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Event => "event",
            Self::Id => "id",
            Self::Comment => "comment",
        }
    }

    /// Its name in a sentence.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Event => "event name",
            Self::Id => "id",
            Self::Comment => "comment",
        }
    }
}

impl Published {
    pub fn of(data: impl Into<String>) -> Self {
        Self { data: data.into(), ..Self::default() }
    }

    pub fn meant(&self, part: Part) -> Option<&str> {
        match part {
            Part::Data => Some(&self.data),
            Part::Event => self.event.as_deref(),
            Part::Id => self.id.as_deref(),
            Part::Comment => self.comment.as_deref(),
        }
    }

    /// Which part is the dangerous one: the data, if nothing else is set.
    pub fn part(&self) -> Part {
        let others = [Part::Event, Part::Id, Part::Comment];
        others.into_iter().find(|part| self.meant(*part).is_some()).unwrap_or(Part::Data)
    }

    /// The value of the dangerous part.
    pub fn text(&self) -> &str {
        self.meant(self.part()).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PublishOutcome {
    #[default]
    Accepted,
    /// The server rejected it, with the response (`POST /publish answered 422`).
    Refused(String),
    /// The server failed on it, with the response (`POST /publish answered 500`).
    Failed(String),
    Unanswered(String),
    /// It was not sent, because the request cannot carry it.
    Unsendable(String),
}

impl PublishOutcome {
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
