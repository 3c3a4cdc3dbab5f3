//! How a client connects: TLS, the version of HTTP, a unix socket, and proxies.

use std::path::{Path, PathBuf};

use sseproof_http::Version;
use url::Url;

use crate::{Proxies, Tls};

#[derive(Clone, Default)]
pub struct ConnectionOptions {
    pub tls: Tls,
    /// The version of HTTP for requests without one. Without it: the one that client and server
    /// agree on over TLS, and HTTP/1.1 over plain TCP.
    pub http: Option<Version>,
    pub unix: Option<UnixSocket>,
    pub proxies: Proxies,
}

impl ConnectionOptions {
    /// The versions that the TLS handshake offers for a request that requires this one. Over plain
    /// TCP, HTTP/2 is used only if it is the only one.
    pub(crate) fn offered(&self, demanded: Option<Version>) -> &'static [&'static str] {
        match demanded.or(self.http) {
            Some(Version::Http2) => &["h2"],
            None => &["h2", "http/1.1"],
            Some(_) => &["http/1.1"],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    path: PathBuf,
    host: String,
    port: u16,
}

impl UnixSocket {
    /// The socket that stands for the host and port of this URL; other hosts are not affected.
    ///
    /// # Errors
    /// The message of the parser, if the URL is not valid.
    pub fn of(path: impl Into<PathBuf>, url: &str) -> Result<Self, url::ParseError> {
        let url = Url::parse(url)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        Ok(Self { path: path.into(), host, port })
    }

    /// The path of the socket, if it replaces this host and port.
    pub fn for_host(&self, host: &str, port: u16) -> Option<&Path> {
        (self.host == host && self.port == port).then_some(&*self.path)
    }
}
