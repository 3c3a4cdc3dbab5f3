//! What an exchange went over.

use serde::{Deserialize, Serialize};

/// What the bytes of an exchange went over; all empty for HTTP/1 over plain TCP, straight to the
/// server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transport {
    /// The version of TLS, as in `TLSv1_3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// What client and server agreed on in the TLS handshake (ALPN): `h2`, `http/1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Whether HTTP/2 was offered in the TLS handshake, and the server took something else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_http2: bool,
    /// The HTTP proxy that the request went through, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// The unix socket that the request went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_socket: Option<String>,
    /// The number of the stream on an HTTP/2 connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    /// The number of the exchange that opened the HTTP/2 connection, where several share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<usize>,
    /// The window that the client gave the HTTP/2 stream and never enlarged, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
}

impl Transport {
    /// Whether there is nothing to tell.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
