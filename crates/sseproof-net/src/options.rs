//! How a client connects: TLS, the version of HTTP, a unix socket, and proxies.

use std::path::{Path, PathBuf};

use sseproof_record::Version;
use url::Url;

use crate::{Proxies, Tls};

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

/// How a client connects.
#[derive(Clone, Default)]
pub struct ConnectionOptions {
    /// TLS as it speaks it.
    pub tls: Tls,
    /// The version of HTTP that it prefers.
    pub http: HttpChoice,
    /// A server that listens on a unix socket.
    pub unix: Option<UnixSocket>,
    /// The proxies on the way.
    pub proxies: Proxies,
}

/// A unix socket in place of the host and port of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    path: PathBuf,
    host: String,
    port: u16,
}

impl UnixSocket {
    /// The socket that stands for the host and port of this URL; other hosts are dialled as ever.
    ///
    /// # Errors
    /// The parser's word on a URL that is none.
    pub fn of(path: impl Into<PathBuf>, url: &str) -> Result<Self, url::ParseError> {
        let url = Url::parse(url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Self { path: path.into(), host, port })
    }

    /// Where the socket is, if it stands for this host and port.
    pub fn for_host(&self, host: &str, port: u16) -> Option<&Path> {
        (self.host == host && self.port == port).then_some(&*self.path)
    }
}
