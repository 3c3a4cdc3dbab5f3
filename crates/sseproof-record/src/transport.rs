//! TLS, proxy, socket and HTTP/2 stream of an exchange.
//!
//! Each exchange has its own connection, unless a scenario says `on:`: only the rules about shared
//! connections have to consider other streams.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transport {
    /// The version of TLS, as in `TLSv1_3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<String>,
    /// The protocol that client and server agreed on in the TLS handshake (ALPN): `h2`, `http/1.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Whether HTTP/2 was offered in the TLS handshake, and the server chose another protocol.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_http2: bool,
    /// The HTTP proxy that the request went through, without credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unix_socket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
    /// The number of the exchange that opened the HTTP/2 connection, if several share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares: Option<usize>,
    /// The window that the client gave the HTTP/2 stream and never enlarged, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u32>,
}

impl Transport {
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
