//! The head of an HTTP/1.1 response, as far as a load generator cares.

use super::body::Body;

/// How long a head may be.
pub(crate) const LIMIT: usize = 64 * 1024;

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The status.
    pub(crate) status: u16,
    /// How the body is delimited.
    pub(crate) body: Body,
    /// The media type, in lower case and without parameters.
    pub(crate) media: String,
    /// The content coding, where there is one.
    pub(crate) coding: Option<String>,
    /// Whether the connection may be used again.
    pub(crate) keeps: bool,
    /// `Date`, in seconds since the Unix epoch.
    pub(crate) date: Option<u64>,
    /// `Sec-WebSocket-Accept`.
    pub(crate) accept: Option<String>,
    /// How many bytes it has.
    pub(crate) length: usize,
}

/// Reads a head from the begin of the bytes; nothing where it is not whole yet.
///
/// # Errors
/// Why it is none.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() >= LIMIT => {
            return Err(format!("a head of more than {} KiB", LIMIT / 1024));
        }
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let status = response.code.unwrap_or_default();
    // What is only interim is followed by the answer.
    if (100..200).contains(&status) && status != 101 {
        let after = read(&bytes[length..])?;
        return Ok(after.map(|head| Head { length: head.length + length, ..head }));
    }
    let value = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    let chunked = value("transfer-encoding").is_some_and(|codings| codings.ends_with("chunked"));
    let body = if chunked {
        Body::CHUNKED
    } else if matches!(status, 101 | 204 | 304) {
        Body::Length(0)
    } else if let Some(length) = value("content-length") {
        Body::Length(length.parse().map_err(|_| format!("a Content-Length of `{length}`"))?)
    } else {
        Body::UntilClose
    };
    let connection = value("connection").unwrap_or_default();
    let keeps = match response.version {
        Some(1) => !connection.contains("close"),
        _ => connection.contains("keep-alive"),
    };
    let accept = response
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("sec-websocket-accept"))
        .map(|header| String::from_utf8_lossy(header.value).trim().to_owned());
    let date = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("date"));
    let date = date.and_then(|header| self::date(header.value));
    let media = media(value("content-type"));
    let coding = coding(value("content-encoding"));
    let keeps = keeps && body != Body::UntilClose;
    Ok(Some(Head { status, body, media, coding, keeps, date, accept, length }))
}

/// The media type of a `Content-Type` in lower case, without parameters.
pub(crate) fn media(content_type: Option<String>) -> String {
    let media = content_type.unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The coding of a `Content-Encoding` in lower case, where it is one.
pub(crate) fn coding(content_encoding: Option<String>) -> Option<String> {
    content_encoding.filter(|coding| coding != "identity")
}

/// An HTTP date, in seconds since the Unix epoch; what is none tells nothing.
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
    fn what_is_no_head_is_told() {
        assert!(read(b"SSH-2.0-OpenSSH\r\n").is_err());
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n";
        assert_eq!(read(head), Err("a Content-Length of `many`".to_owned()));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LIMIT));
        assert!(read(long.as_bytes()).unwrap_err().contains("64 KiB"));
    }
}
