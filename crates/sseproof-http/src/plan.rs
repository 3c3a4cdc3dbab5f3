//! The response of a lab server to one request, step by step.

use std::time::Duration;

use crate::{Bytes, Headers};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub actions: Vec<Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `Transfer-Encoding: chunked`; each flush border is the end of a chunk.
    Chunked,
    /// By the end of the connection.
    Close,
    /// By this `Content-Length`, whatever is written then.
    Length(u64),
    /// No body and no field that announces one (204, 304, an answer to HEAD).
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The status line and the fields; the fields of the framing are added by the player.
    Head { status: u16, headers: Headers, framing: Framing },
    /// Body bytes, held back until the next flush border: a [`Action::Flush`], [`Action::Wait`],
    /// [`Action::Finish`], [`Action::Close`], [`Action::Hold`] or the end of the plan.
    Write(Bytes),
    /// Sends what was written, as one chunk.
    Flush,
    /// Sends what was written, then waits.
    Wait(Duration),
    /// Bytes straight onto the wire, past the framing.
    Raw(Bytes),
    /// Sends what was written, then a frame of the request's stream; nothing over HTTP/1.
    Frame { kind: u8, flags: u8, payload: Bytes },
    /// Sends what was written and ends the body as its framing demands.
    Finish,
    /// Sends what was written and closes the connection, whatever the framing demands (FIN).
    Close,
    /// Closes the connection with a reset (RST).
    Reset,
    /// Sends the written bytes and does nothing more until the client disconnects.
    Hold,
    /// Follows a topic of the server's log: first the entries after the position, then those that
    /// are published, until the client disconnects.
    Follow {
        topic: String,
        /// How many entries of the topic to pass over.
        after: u64,
    },
    /// The same, but a client beyond the last entry gets nothing until that many are published.
    Await { topic: String, after: u64 },
    /// The same from the entry after the one with this line in it; from the first
    /// one if there is none.
    FollowAfterLine { topic: String, line: Bytes },
    /// Appends to a topic of the server's log. A client that follows the topic gets `id: N`,
    /// counted from 1, unless the bytes bring an id of their own, and then these bytes.
    Publish {
        topic: String,
        /// The rest of the event, blank line and all.
        bytes: Bytes,
    },
    /// Cuts every other answer that is being played, as a server does that is restarted.
    Restart {
        /// Whether the server's log is lost with it.
        forget: bool,
    },
    /// Keeps the answer counted among those that are played for that long after its client has
    /// left in the midst of it, as a producer that is never stopped.
    Outlive {
        time: Duration,
        /// Only for clients that disconnect in this way.
        only: Option<Departure>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    Closing,
    /// It resets the connection (RST).
    Resetting,
}

impl Plan {
    pub fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let headers = [("Content-Type", content_type)].into_iter().collect();
        let framing = Framing::Length(body.len() as u64);
        Self {
            actions: vec![
                Action::Head { status, headers, framing },
                Action::Write(body),
                Action::Finish,
            ],
        }
    }

    pub fn headers(&mut self) -> Option<&mut Headers> {
        self.actions.iter_mut().find_map(|action| match action {
            Action::Head { headers, .. } => Some(headers),
            _ => None,
        })
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        if let Some(headers) = self.headers() {
            headers.set(name, value);
        }
        self
    }

    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        if let Some(headers) = self.headers() {
            headers.remove(name);
        }
        self
    }

    #[must_use]
    pub fn with_status(mut self, new: u16) -> Self {
        for action in &mut self.actions {
            if let Action::Head { status, .. } = action {
                *status = new;
            }
        }
        self
    }

    #[must_use]
    pub fn with_framing(mut self, new: Framing) -> Self {
        for action in &mut self.actions {
            if let Action::Head { framing, .. } = action {
                *framing = new;
            }
        }
        self
    }

    /// The same plan with each written piece passed through `edit` with its index.
    #[must_use]
    pub fn map_writes(mut self, mut edit: impl FnMut(usize, Bytes) -> Bytes) -> Self {
        let mut index = 0;
        for action in &mut self.actions {
            if let Action::Write(bytes) = action {
                *bytes = edit(index, std::mem::take(bytes));
                index += 1;
            }
        }
        self
    }

    /// The same plan with an extra piece written, and flushed, before the written piece of that
    /// index (after all of them if there are fewer).
    #[must_use]
    pub fn insert(mut self, index: usize, bytes: impl Into<Bytes>) -> Self {
        let place = self.place_of_write(index);
        self.actions.splice(place..place, [Action::Write(bytes.into()), Action::Flush]);
        self
    }

    /// The same plan, cut before the written piece of that index and ended by `last` instead.
    #[must_use]
    pub fn cut(mut self, index: usize, last: impl IntoIterator<Item = Action>) -> Self {
        let place = self.place_of_write(index);
        self.actions.truncate(place);
        self.actions.extend(last);
        self
    }

    /// The same plan, begun with these actions.
    #[must_use]
    pub fn after(mut self, first: impl IntoIterator<Item = Action>) -> Self {
        self.actions.splice(0..0, first);
        self
    }

    /// How long the response outlives a client that disconnects in this way.
    pub fn outlives(&self, left: Departure) -> Duration {
        let times = self.actions.iter().filter_map(|action| match action {
            Action::Outlive { time, only } if only.is_none_or(|only| only == left) => Some(*time),
            _ => None,
        });
        times.max().unwrap_or_default()
    }

    fn place_of_write(&self, index: usize) -> usize {
        self.actions
            .iter()
            .enumerate()
            .filter(|(_, action)| matches!(action, Action::Write(_)))
            .map(|(place, _)| place)
            .nth(index)
            .unwrap_or(self.actions.len())
    }
}
