//! The kinds of errors, each with its definition; `specs/metrics.md` is made from here.

use std::borrow::Cow;

/// What went wrong with a connection or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// Nobody listens.
    Refused,
    /// Reset.
    Reset,
    /// No way there.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// No TLS.
    Tls,
    /// No head in time.
    HeadTimeout,
    /// The end before the head.
    NoHead,
    /// Another status than 200.
    Status(u16),
    /// No stream.
    ContentType,
    /// Broken HTTP, or broken frames.
    Protocol,
    /// The end inside of a message.
    Truncated,
    /// Out of files.
    NoFiles,
    /// Out of ports.
    NoPorts,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// All but those of a status, in the order of reports.
    pub const ALL: [Self; 13] = [
        Self::Refused,
        Self::Reset,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::Tls,
        Self::HeadTimeout,
        Self::NoHead,
        Self::ContentType,
        Self::Protocol,
        Self::Truncated,
        Self::NoFiles,
        Self::NoPorts,
        Self::Other,
    ];

    /// The name in thresholds (behind `errors.`) and results.
    pub fn key(self) -> Cow<'static, str> {
        match self {
            Self::Refused => "refused".into(),
            Self::Reset => "reset".into(),
            Self::Unreachable => "unreachable".into(),
            Self::ConnectTimeout => "connect-timeout".into(),
            Self::Tls => "tls".into(),
            Self::HeadTimeout => "head-timeout".into(),
            Self::NoHead => "no-head".into(),
            Self::Status(code) => format!("status-{code}").into(),
            Self::ContentType => "content-type".into(),
            Self::Protocol => "protocol".into(),
            Self::Truncated => "truncated".into(),
            Self::NoFiles => "no-files".into(),
            Self::NoPorts => "no-ports".into(),
            Self::Other => "other".into(),
        }
    }

    /// The kind of that key.
    pub fn of(key: &str) -> Option<Self> {
        if let Some(code) = key.strip_prefix("status-") {
            let code = code.parse().ok().filter(|code| (100..=999).contains(code))?;
            return Some(Self::Status(code));
        }
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// What it means.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused: nobody listens, or the queue is full",
            Self::Reset => "the connection was reset, while it was opened or later",
            Self::Unreachable => "there is no way to the host, or no host of that name",
            Self::ConnectTimeout => "no connection within the plan's patience",
            Self::Tls => "the TLS handshake failed",
            Self::HeadTimeout => "no response head within the plan's patience",
            Self::NoHead => "the connection ended before the response head was complete",
            Self::Status(_) => {
                "an answer with another status than 200 (WebSocket: than 101), which is the number in the name"
            }
            Self::ContentType => "status 200 without `text/event-stream`",
            Self::Protocol => "what arrived is no HTTP, no framing of HTTP, or no WebSocket frame",
            Self::Truncated => {
                "a stream ended inside of its framing: no last chunk, or fewer bytes than announced"
            }
            Self::NoFiles => "this machine gave no socket: too many open files",
            Self::NoPorts => "this machine had no local port left for the address",
            Self::Other => "anything else",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found_by_its_key() {
        for kind in ErrorKind::ALL.into_iter().chain([ErrorKind::Status(503)]) {
            assert_eq!(ErrorKind::of(&kind.key()), Some(kind));
        }
        for none in ["", "status-", "status-20", "status-x", "Refused"] {
            assert_eq!(ErrorKind::of(none), None, "{none}");
        }
    }
}
