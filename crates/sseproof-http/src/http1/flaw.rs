//! Violations of the grammar of HTTP/1.

use super::body::ChunkFlaw;
use crate::Bytes;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Flaw {
    /// Counts from the first byte that was given to the reader.
    pub offset: usize,
    pub kind: FlawKind,
}

/// The kinds of flaws; each message is a sentence without capital and full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlawKind {
    #[error("no status line: a response begins with HTTP/")]
    NoStatusLine,
    #[error("no status code in the status line")]
    NoStatusCode,
    #[error("no request line: a request begins with a method, a target and a version")]
    NoRequestLine,
    #[error("the version is not HTTP/1.0 or HTTP/1.1")]
    Version,
    #[error("a blank line before the status line")]
    BlankLine,
    #[error("a line that ends in LF alone; HTTP requires CR LF")]
    BareLf,
    #[error("a header line that begins with white space")]
    Folded,
    #[error("a header line without a colon: {0}")]
    NoColon(String),
    #[error("a header line without a name")]
    NoName,
    #[error("the header name {0} has a byte that is not allowed in a name")]
    Name(String),
    #[error("{place} has the control character {byte:#04x}")]
    Control {
        /// `the value of `X-Topic``.
        place: String,
        byte: u8,
    },
    #[error("headers of more than {} KiB", limit >> 10)]
    TooLong {
        /// In bytes.
        limit: usize,
    },
    #[error("Content-Length is {0:?}, which is not a number of bytes")]
    Length(String),
    #[error("Transfer-Encoding does not end in chunked, so the end of the request is unknown")]
    Coding,
    #[error(transparent)]
    Chunk(ChunkFlaw),
    #[error("no CR LF after a chunk of {0} bytes: its size is wrong")]
    ChunkEnd(u64),
}

impl Flaw {
    /// Whether a client gives up here: what it cannot read, or must not.
    pub fn is_fatal(&self) -> bool {
        match self.kind {
            FlawKind::BlankLine | FlawKind::BareLf => false,
            FlawKind::Chunk(flaw) => flaw.is_fatal(),
            _ => true,
        }
    }

    /// The message, with the text that stands at the flaw's place of these bytes.
    pub fn describe(&self, wire: &[u8]) -> String {
        match self.kind {
            FlawKind::Chunk(ChunkFlaw::NoSize) => {
                let rest = wire.get(self.offset..).unwrap_or_default();
                let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
                format!("expected a chunk size, found {}", shown(line))
            }
            _ => self.to_string(),
        }
    }

    pub(super) fn moved(mut self, by: usize) -> Self {
        self.offset += by;
        self
    }
}

/// The first bytes of a piece, readable.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text = Bytes::from(&bytes[..bytes.len().min(24)]).escaped();
    let more = if bytes.len() > 24 { "…" } else { "" };
    format!("`{text}{more}`")
}
