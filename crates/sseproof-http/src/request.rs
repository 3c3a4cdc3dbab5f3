//! A request, as it is sent.

use serde::{Deserialize, Serialize};

use crate::{Bytes, CREDENTIAL_PARAMETERS, Headers, is_credential};

pub const EVENT_STREAM: &str = "text/event-stream";

/// The version of HTTP that the request is made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "HttpVersion"))]
pub enum Version {
    /// HTTP/1.0: no chunked transfer coding, no persistent connection.
    #[serde(rename = "1.0")]
    Http10,
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "1.1")]
    Http11,
    /// HTTP/2: many streams of frames on one connection.
    #[serde(rename = "2")]
    Http2,
}

impl Version {
    /// Whether it has the framing of HTTP/1: status line, field lines, chunks.
    pub const fn is_http1(self) -> bool {
        matches!(self, Self::Http10 | Self::Http11)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    pub url: String,
    #[serde(default)]
    pub version: Version,
    /// The field lines, without `Host` and `Content-Length`, which the client adds by itself.
    #[serde(default)]
    pub headers: Headers,
    #[serde(default)]
    pub body: Bytes,
}

impl Request {
    /// The request of an `EventSource`: a GET with `Accept: text/event-stream` and `Cache-Control:
    /// no-cache`.
    pub fn subscribe(url: impl Into<String>) -> Self {
        Self {
            method: "GET".to_owned(),
            url: url.into(),
            version: Version::Http11,
            headers: [("Accept", EVENT_STREAM), ("Cache-Control", "no-cache")]
                .into_iter()
                .collect(),
            body: Bytes::default(),
        }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// The path and query of the URL: `/stream?topic=1`.
    pub fn target(&self) -> &str {
        let after_scheme = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find(['/', '?']).map_or("/", |start| &after_scheme[start..]);
        path.split('#').next().unwrap_or(path)
    }

    pub fn path(&self) -> &str {
        self.target().split('?').next().unwrap_or("/")
    }

    pub fn last_event_id(&self) -> Option<&Bytes> {
        self.headers.all("last-event-id").next().map(|header| &header.value)
    }

    /// Whether the request has credentials: in a field, or in the query.
    pub fn has_credentials(&self) -> bool {
        self.headers.0.iter().any(|header| is_credential(&header.name))
            || self.parameters().any(is_credential_parameter)
    }

    pub fn drop_credentials(&mut self) {
        self.headers.0.retain(|header| !is_credential(&header.name));
        if !self.parameters().any(is_credential_parameter) {
            return;
        }
        let kept: Vec<_> =
            self.parameters().filter(|pair| !is_credential_parameter(pair)).collect();
        let base = self.url.split(['?', '#']).next().unwrap_or_default();
        let mark = if kept.is_empty() { "" } else { "?" };
        self.url = format!("{base}{mark}{}", kept.join("&"));
    }

    /// The `name=value` pairs of the query.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        let url = self.url.split('#').next().unwrap_or_default();
        url.split_once('?').into_iter().flat_map(|(_, query)| query.split('&'))
    }

    /// `GET /stream`, for messages.
    pub fn label(&self) -> String {
        format!("{} {}", self.method, self.target())
    }
}

fn is_credential_parameter(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    CREDENTIAL_PARAMETERS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stand_in_fields_and_in_the_query() {
        let url = "http://h/s?topic=a&access_token=x#y";
        for (mut request, left) in [
            (Request::subscribe("http://h/s").with("Cookie", "a=b"), "http://h/s"),
            (Request::subscribe(url), "http://h/s?topic=a"),
            (Request::subscribe("http://h/s?token=x"), "http://h/s"),
        ] {
            assert!(request.has_credentials());
            request.drop_credentials();
            assert_eq!((request.url.as_str(), request.has_credentials()), (left, false));
        }
        assert!(!Request::subscribe("http://h/s?q=token").has_credentials());
    }

    #[test]
    fn the_target_is_what_stands_in_the_request_line() {
        for (url, target, path) in [
            ("http://h:1/a/b?c=d#e", "/a/b?c=d", "/a/b"),
            ("http://h", "/", "/"),
            ("/just/a/path", "/just/a/path", "/just/a/path"),
        ] {
            let request = Request::subscribe(url);
            assert_eq!((request.target(), request.path()), (target, path), "{url}");
        }
    }
}
