//! What a run published to a stream while it had that stream open.

use serde::{Deserialize, Serialize};

/// What dangerous payloads have behind the name of a field: a client that finds it as a whole value
/// was made to read data as a field.
pub const FORGED: &str = "sseproof-forged";
/// The same for a `retry` field, in milliseconds.
pub const FORGED_RETRY: u64 = 86_399_999;
/// The event name, id or comment that no server has a reason to change: where even this does not
/// arrive, the others say nothing.
pub const PLAIN: &str = "sseproof-plain";

/// One publication, and what became of the request for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What is dangerous about it (`a line feed`); `None` for a sentinel, which marks the place in
    /// the stream where what was published before it must have come, and for an event that was
    /// published only so that there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The data that was meant, before any encoding.
    pub data: String,
    /// The event name that was meant, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The seed that the payload was generated from, where it was.
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

    /// The variable of a target file that stands for it.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Event => "event",
            Self::Id => "id",
            Self::Comment => "comment",
        }
    }

    /// What it is called in a sentence.
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
    /// A publication of this data and nothing else.
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

    /// Which part is the dangerous one: the data, where nothing else was meant.
    pub fn part(&self) -> Part {
        let others = [Part::Event, Part::Id, Part::Comment];
        others.into_iter().find(|part| self.meant(*part).is_some()).unwrap_or(Part::Data)
    }

    /// What was meant as the dangerous part.
    pub fn text(&self) -> &str {
        self.meant(self.part()).unwrap_or_default()
    }
}

/// What became of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PublishOutcome {
    /// The server took it.
    #[default]
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
