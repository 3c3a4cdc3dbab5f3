//! The kinds of errors, each with its definition; `specs/metrics.md` is generated from here.
//!
//! An error gets its kind where it arises, and thresholds name kinds. Its text is
//! only for people, and may be reworded.

use std::borrow::Cow;
use std::fmt;

use crate::Counter;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    kind: ErrorKind,
    text: Cow<'static, str>,
}

impl LoadError {
    /// A run counts each text separately, so a server must not be able to make them long.
    const LONGEST: usize = 160;

    /// An error of that kind; a long text is cut.
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let text = match text.char_indices().nth(Self::LONGEST) {
            Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
            None => text,
        };
        Self { kind, text }
    }

    pub fn status(code: u16) -> Self {
        Self::new(ErrorKind::Status(code), format!("status {code}"))
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}

impl std::error::Error for LoadError {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Declares the kinds, each with its key and its definition; a status is a kind for each code.
macro_rules! kinds {
    ($($kind:ident = $key:literal, $definition:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorKind {
            $($kind,)*
            Status(u16),
        }

        impl ErrorKind {
            /// All but those of a status, in the order of reports.
            pub const ALL: [Self; [$($key),*].len()] = [$(Self::$kind),*];

            /// The name in thresholds (after `errors.`) and results.
            pub fn key(self) -> Cow<'static, str> {
                match self {
                    $(Self::$kind => $key.into(),)*
                    Self::Status(code) => format!("status-{code}").into(),
                }
            }

            pub fn definition(self) -> &'static str {
                match self {
                    $(Self::$kind => $definition,)*
                    Self::Status(_) => "a response with another status than 200 (WebSocket: than 101), which is the number in the name",
                }
            }
        }
    };
}

kinds! {
    Refused = "refused",
        "the connection was refused: the port is closed, or the queue is full; or the stream, over HTTP/2 (REFUSED_STREAM)";
    Reset = "reset",
        "the connection was reset, while it was opened or later; or the stream, over HTTP/2 (RST_STREAM, or GOAWAY with an error)";
    Unreachable = "unreachable",
        "no route to the host, or the host name is unknown";
    ConnectTimeout = "connect-timeout",
        "no connection within the plan's `patience`";
    Tls = "tls",
        "the TLS handshake failed";
    HeadTimeout = "head-timeout",
        "no response headers within the plan's `patience`";
    NoHead = "no-head",
        "the connection ended before the response headers were complete";
    NoStream = "no-stream",
        "status 200 without `text/event-stream`, or compressed though the client did not ask for it";
    Protocol = "protocol",
        "the bytes that arrived are not valid HTTP or WebSocket frames, or the server chose an extension that was not offered; or the server does not support HTTP/2, which was requested";
    Coding = "coding",
        "a compressed stream or message cannot be decompressed: it is not what the server says, a message breaks off, or a line, an event or a message has more than 1 MiB when decompressed";
    Truncated = "truncated",
        "a stream or an answer has no proper end: the connection was closed before the last chunk, the close frame, the end of the compressed content, or `[DONE]`";
    NoFiles = "no-files",
        "this machine has no free file descriptor: too many open files";
    NoPorts = "no-ports",
        "this machine has no free local port for the address";
    Answer = "answer",
        "an answer of a model ended with an error event";
    Publish = "publish",
        "a publish request failed, for any reason";
    Other = "other",
        "anything else";
}

impl ErrorKind {
    pub fn of(key: &str) -> Option<Self> {
        if let Some(code) = key.strip_prefix("status-") {
            let code = code.parse().ok().filter(|code| (100..=999).contains(code))?;
            return Some(Self::Status(code));
        }
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// How an arrival is counted that never got a stream, if such an error was its last.
    pub fn ends_as(self) -> Option<Counter> {
        match self {
            Self::Refused
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::Tls
            | Self::NoFiles
            | Self::NoPorts => Some(Counter::Unconnected),
            Self::Status(_) | Self::NoStream | Self::NoHead | Self::Reset | Self::Protocol => {
                Some(Counter::Rejected)
            }
            Self::HeadTimeout => Some(Counter::Unanswered),
            Self::Coding | Self::Truncated | Self::Answer | Self::Publish | Self::Other => None,
        }
    }

    /// The kind of an error in a result of version 0.1.0, which had only its text. Only for old files:
    /// no other code may parse texts.
    pub(crate) fn of_old_text(message: &str) -> Self {
        if let Some(kind) = Self::of(message) {
            return kind;
        }
        if let Some(code) = message.strip_prefix("status ") {
            return code.parse().map_or(Self::Other, Self::Status);
        }
        if message.starts_with("publish: ") {
            return Self::Publish;
        }
        match message {
            "connect: refused" => Self::Refused,
            "reset" | "connect: reset" | "head: reset before it" => Self::Reset,
            "http2: RST_STREAM REFUSED_STREAM" => Self::Refused,
            "connect: no answer in time" | "http2: no SETTINGS in time that permit a stream" => {
                Self::ConnectTimeout
            }
            "connect: no port left on this address" => Self::NoPorts,
            "connect: too many open files" => Self::NoFiles,
            "head: no answer in time" => Self::HeadTimeout,
            "head: closed before it" | "http2: closed before SETTINGS" => Self::NoHead,
            "closed within the body"
            | "tls: closed without close_notify"
            | "websocket: closed without a close frame"
            | "the answer has no end, such as [DONE]" => Self::Truncated,
            "the answer ended with an error event" => Self::Answer,
            _ => match message.split_once(':') {
                Some(("connect", _)) => Self::Unreachable,
                Some(("tls", _)) => Self::Tls,
                Some(("http2", what))
                    if what.starts_with(" RST_STREAM") || what.starts_with(" GOAWAY") =>
                {
                    Self::Reset
                }
                Some(("head" | "framing" | "websocket" | "http2", _)) => Self::Protocol,
                Some(("no event stream", _)) => Self::NoStream,
                _ if message.starts_with("compressed") => Self::NoStream,
                _ => Self::Other,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_old_results_have_their_kinds() {
        let table = include_str!("error_kind/old.txt");
        for row in table.lines().filter(|line| !line.starts_with('#')) {
            let (message, key) = row.split_once(" | ").expect(row);
            assert_eq!(ErrorKind::of_old_text(message).key(), key, "{message}");
        }
    }

    #[test]
    fn the_text_of_an_error_is_bounded() {
        let error = LoadError::new(ErrorKind::NoStream, "é".repeat(1000));
        assert_eq!(error.text().chars().count(), LoadError::LONGEST + 1);
    }

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
