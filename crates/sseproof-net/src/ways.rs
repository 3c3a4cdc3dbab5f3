//! Which ways a client may go: TLS, and the version of HTTP.

use crate::Tls;

/// The version of HTTP that a client speaks where a request does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpChoice {
    /// What client and server agree on over TLS, and HTTP/1.1 without it.
    #[default]
    Auto,
    /// HTTP/1.1, whatever else the server speaks.
    Http1,
    /// HTTP/2, also without TLS: the server has to know.
    Http2,
}

/// Which ways a client goes.
#[derive(Clone, Default)]
pub struct Ways {
    /// TLS as it speaks it.
    pub tls: Tls,
    /// The version of HTTP that it prefers.
    pub http: HttpChoice,
}
