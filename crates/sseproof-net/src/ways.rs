//! Which ways a client may go: TLS, and the version of HTTP.

use sseproof_exchange::Version;

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

impl HttpChoice {
    /// What is offered in the TLS handshake to a request that demands this version; over plain TCP
    /// the only one, and otherwise HTTP/1.1, is spoken.
    pub(crate) fn offered(self, demanded: Option<Version>) -> &'static [&'static str] {
        match (demanded, self) {
            (Some(Version::Http2), _) | (None, Self::Http2) => &["h2"],
            (None, Self::Auto) => &["h2", "http/1.1"],
            _ => &["http/1.1"],
        }
    }
}

/// Which ways a client goes.
#[derive(Clone, Default)]
pub struct Ways {
    /// TLS as it speaks it.
    pub tls: Tls,
    /// The version of HTTP that it prefers.
    pub http: HttpChoice,
}
