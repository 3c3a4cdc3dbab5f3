//! The parts of an HTTP/1.1 response that a load generator needs.

use sseproof_http::Version;
use sseproof_http::http1::{Body, Fields, ResponseHead};

use super::inflate::Gzip;

/// Status line and headers may not be longer.
pub(crate) const LIMIT: usize = 64 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// The media type, in lower case and without parameters.
    pub(crate) media: String,
    pub(crate) coding: Option<String>,
    pub(crate) keeps: bool,
    /// `Date`, in seconds since the Unix epoch.
    pub(crate) date: Option<u64>,
    pub(crate) accept: Option<String>,
    /// The extensions of a WebSocket; empty without any.
    pub(crate) extensions: String,
    /// How many bytes it has.
    pub(crate) length: usize,
}

impl Head {
    /// Whether the content is compressed with gzip, once.
    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.coding.as_deref(), Some("gzip" | "x-gzip"))
    }

    pub(crate) fn gzip(&self) -> Option<Box<Gzip>> {
        self.is_gzip().then(Box::default)
    }
}

/// Reads status line and headers from the start of the bytes, also after interim responses; `None` if
/// they are not complete yet.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut begin = 0;
    let (parsed, length) = loop {
        let Some(parsed) = ResponseHead::parse(&bytes[begin..]).map_err(|flaw| flaw.to_string())?
        else {
            let is_long = bytes.len() >= LIMIT;
            return if is_long {
                Err(format!("response headers of more than {} KiB", LIMIT >> 10))
            } else {
                Ok(None)
            };
        };
        if let Some(flaw) = parsed.refusal() {
            return Err(flaw.to_string());
        }
        begin += parsed.length;
        if !parsed.is_interim() {
            break (parsed, begin);
        }
    };
    let status = parsed.status;
    let text = |name: &str| {
        let field = parsed.fields.first(name)?;
        Some(String::from_utf8_lossy(field.value).into_owned())
    };
    let value = |name: &str| text(name).map(|value| value.to_ascii_lowercase());
    let body = parsed.body("GET").map_err(|flaw| flaw.to_string())?;
    let connection = value("connection").unwrap_or_default();
    let keeps = match parsed.version {
        Some(Version::Http11) => !connection.contains("close"),
        _ => connection.contains("keep-alive"),
    };
    Ok(Some(Head {
        status,
        body,
        media: media(value("content-type")),
        coding: coding(value("content-encoding")),
        keeps: keeps && body != Body::UntilClose,
        date: parsed.fields.first("date").and_then(|field| date(field.value)),
        accept: text("sec-websocket-accept"),
        extensions: list(&parsed.fields, "sec-websocket-extensions"),
        length,
    }))
}

/// The values of all fields with that name, as one.
fn list(fields: &Fields<'_>, name: &str) -> String {
    let all = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
    all.map(|field| String::from_utf8_lossy(field.value)).collect::<Vec<_>>().join(", ")
}

/// The media type of a `Content-Type` in lower case, without parameters.
pub(crate) fn media(content_type: Option<String>) -> String {
    let media = content_type.unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The coding of a `Content-Encoding` in lower case if it is one.
pub(crate) fn coding(content_encoding: Option<String>) -> Option<String> {
    content_encoding.filter(|coding| coding != "identity")
}

/// An HTTP date, in seconds since the Unix epoch; `None` if it is not valid.
pub(crate) fn date(value: &[u8]) -> Option<u64> {
    let time = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_its_body_is_delimited() {
        let body = |head: &str| read(head.as_bytes()).unwrap().map(|head| (head.body, head.keeps));
        let end = "\r\n\r\n";
        assert_eq!(
            body(&format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked{end}")),
            Some((Body::CHUNKED, true))
        );
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-"), None);
        assert_eq!(body(&format!("HTTP/1.0 200 OK{end}")), Some((Body::UntilClose, false)));
        assert_eq!(
            body(&format!("HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close{end}")),
            Some((Body::Length(12), false))
        );
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        assert_eq!(body(interim), None);
        let answer = format!("{interim}HTTP/1.1 204 No Content{end}");
        assert_eq!(body(&answer), Some((Body::Length(0), true)));
    }

    #[test]
    fn a_head_may_say_when_it_was_written() {
        let date = |date: &str| {
            let head = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\n\r\n");
            read(head.as_bytes()).unwrap().and_then(|head| head.date)
        };
        assert_eq!(date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(date("today"), None);
    }

    #[test]
    fn a_flaw_of_a_response_is_reported() {
        assert!(read(b"SSH-2.0-OpenSSH\r\n").is_err());
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n";
        let why = read(head).unwrap_err();
        assert!(why.contains("Content-Length") && why.contains("many"), "{why}");
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LIMIT));
        assert!(read(long.as_bytes()).unwrap_err().contains("64 KiB"));
        let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(LIMIT / 20);
        assert!(read(interim.as_bytes()).unwrap_err().contains("64 KiB"));
    }
}
