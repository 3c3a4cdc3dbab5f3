//! The command that shows a fault by hand.

use std::time::Duration;

use sseproof_http::{Request, Version, is_secret};
use sseproof_record::{Exchange, Role, Transcript};
use sseproof_rules::Evidence;

/// A longer body does not fit a command that is read and copied.
const BODY: usize = 400;

/// The beginning of every replacement of a secret in a recording.
const REDACTED: &str = "redacted";

/// A request of curl like that of the exchange: credentials are variables of the shell, and `is_raw`
/// leaves the chunk sizes in the output. `None` if curl cannot send it.
pub(crate) fn curl(exchange: &Exchange, is_raw: bool) -> Option<String> {
    let request = &exchange.request;
    let mut words = vec!["curl -isN".to_owned()];
    words.extend(is_raw.then(|| "--raw".to_owned()));
    words.extend(version(request).map(str::to_owned));
    match request.method.as_str() {
        "HEAD" => words.push("-I".to_owned()),
        "GET" if request.body.is_empty() => {}
        "POST" if !request.body.is_empty() => {}
        method => words.push(format!("-X {}", quoted(method))),
    }
    for (flag, value) in
        [("--unix-socket", &exchange.transport.unix_socket), ("-x", &exchange.transport.proxy)]
    {
        words.extend(value.as_ref().map(|value| format!("{flag} {}", quoted(value))));
    }
    for header in &request.headers.0 {
        let name = header.name.to_ascii_lowercase();
        match (name.as_str(), text(&header.value)?) {
            // It comes from a cache on this machine only.
            ("cache-control", "no-cache") => {}
            ("accept-encoding", _) => words.push("--compressed".to_owned()),
            (_, value) if is_secret(&name) => {
                words.push(format!("-H {}", secret(&header.name, value)))
            }
            (_, "") => words.push(format!("-H {}", quoted(&format!("{};", header.name)))),
            (_, value) => {
                words.push(format!("-H {}", quoted(&format!("{}: {value}", header.name))))
            }
        }
    }
    let body = text(&request.body).filter(|body| body.len() <= BODY)?;
    words.extend((!body.is_empty()).then(|| format!("--data-raw {}", quoted(body))));
    words.push(quoted(&request.url));
    Some(words.join(" "))
}

/// The beginnings of texts that are published between the dangerous ones.
const HARMLESS: [&str; 2] = ["sseproof-sentinel-", "sseproof-event-"];

/// The command that publishes the text of this fault, beside one that reads the stream: the last
/// dangerous text that was published before the place of the fault.
pub(crate) fn publication(transcript: &Transcript, evidence: &Evidence) -> Option<String> {
    let exchange = |number: usize| transcript.exchanges.get(number.checked_sub(1)?);
    let stream = exchange(evidence.exchange)?;
    if stream.role == Some(Role::Answer) {
        return curl(stream, false);
    }
    let from = stream.head.as_ref().map_or(stream.started, |head| head.at);
    let at = from + Duration::from_micros(evidence.after_us);
    let is_harmless = |request: &Request| {
        let (body, url) = (String::from_utf8_lossy(&request.body), &request.url);
        HARMLESS.iter().any(|text| body.contains(text) || url.contains(text))
    };
    let published = transcript.exchanges.iter().filter(|one| {
        let is_other = one.scenario == stream.scenario && !one.is_stream() && !one.judged;
        is_other && one.started <= at && !is_harmless(&one.request)
    });
    let last = published.max_by_key(|one| one.started)?;
    Some(format!("{} & sleep 1; {}; kill $!", curl(stream, false)?, curl(last, false)?))
}

fn version(request: &Request) -> Option<&'static str> {
    let is_tls = request.url.starts_with("https:");
    match request.version {
        Version::Http10 => Some("--http1.0"),
        Version::Http11 => is_tls.then_some("--http1.1"),
        Version::Http2 if is_tls => Some("--http2"),
        Version::Http2 => Some("--http2-prior-knowledge"),
    }
}

/// Bytes that a command can have: UTF-8 without control characters, except line feeds.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.contains(|char: char| char.is_control() && char != '\n')).then_some(text)
}

/// `"Authorization: Bearer $TOKEN"`, `"X-Api-Key: $X_API_KEY"`.
fn secret(name: &str, value: &str) -> String {
    let scheme = value.split_once(' ').map(|(scheme, _)| scheme);
    let scheme = scheme.filter(|scheme| scheme.chars().all(|char| char.is_ascii_alphabetic()));
    match (name.to_ascii_lowercase().as_str(), scheme) {
        ("authorization", Some(scheme)) => format!("\"{name}: {scheme} $TOKEN\""),
        ("authorization", None) => format!("\"{name}: $TOKEN\""),
        (lower, _) => format!("\"{name}: ${}\"", lower.to_uppercase().replace('-', "_")),
    }
}

/// The text as one word of a shell, with `$TOKEN` in place of each redacted secret.
fn quoted(text: &str) -> String {
    let is_harmless = |char: char| char.is_ascii_alphanumeric() || "_./:=@%+,-".contains(char);
    if !text.contains(REDACTED) {
        return match !text.is_empty() && text.chars().all(is_harmless) {
            true => text.to_owned(),
            false => format!("'{}'", text.replace('\'', r"'\''")),
        };
    }
    let mut out = String::new();
    for (index, part) in text.split(REDACTED).enumerate() {
        let is_of_secret = |char: char| char.is_ascii_alphanumeric() || char == '-';
        let rest = if index == 0 { part } else { part.trim_start_matches(is_of_secret) };
        out.push_str(if index == 0 { "" } else { "$TOKEN" });
        for char in rest.chars() {
            out.push_str(if r#""\$`"#.contains(char) { r"\" } else { "" });
            out.push(char);
        }
    }
    format!("\"{out}\"")
}

#[cfg(test)]
mod tests {
    use sseproof_http::{EVENT_STREAM, Headers};
    use sseproof_record::Head;

    use super::*;
    use crate::examples::place;

    fn of(request: Request) -> Option<String> {
        curl(&Exchange::begun(1, request, Duration::ZERO), false)
    }

    #[test]
    fn a_request_becomes_a_command() {
        let get = |url: &str| Request::subscribe(url);
        let post = |body: &str| {
            let body = body.as_bytes().into();
            Request { method: "POST".to_owned(), body, ..get("https://h/v1") }
        };
        let commands = [
            get("http://h/stream"),
            get("http://h/stream?a=1&b=it's").with("Last-Event-ID", "é \"x\""),
            Request { version: Version::Http10, ..get("http://h/s") },
            Request { version: Version::Http2, ..get("http://h/s") },
            Request { version: Version::Http2, ..get("https://h/s") },
            Request { method: "HEAD".to_owned(), ..get("http://h/s") },
            Request { method: "DELETE".to_owned(), ..get("http://h/s") },
            get("http://h/s").with("Accept-Encoding", "gzip, br"),
            get("http://h/s?token=redacted-1&room=2").with("Authorization", "Bearer redacted-2"),
            get("http://h/s").with("X-Api-Key", "redacted-1").with("Cookie", "a=redacted-2"),
            post(r#"{"key":"redacted-1xx","price":"$5"}"#).with("Content-Type", "application/json"),
            post("it's"),
        ];
        let lines: Vec<_> = commands.into_iter().map(|request| of(request).unwrap()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_request_that_no_command_can_have_has_none() {
        let get = Request::subscribe("http://h/s");
        assert_eq!(of(get.clone().with("Last-Event-ID", &b"\xE9"[..])), None);
        assert_eq!(of(Request { body: (&[b'x'; BODY + 1][..]).into(), ..get }), None);
    }

    #[test]
    fn the_dangerous_text_before_the_fault_is_published() {
        let begun = |number, request, seconds| {
            let at = Duration::from_secs(seconds);
            Exchange { judged: false, ..Exchange::begun(number, request, at) }
        };
        let post = |text: &str| Request {
            method: "POST".to_owned(),
            body: text.as_bytes().into(),
            headers: Headers::default(),
            ..Request::subscribe("http://h/publish")
        };
        let headers: Headers = [("Content-Type", EVENT_STREAM)].into_iter().collect();
        let head = Head { at: Duration::ZERO, version: Version::Http11, status: 200, headers };
        let stream = Exchange { head: Some(head), ..begun(1, Request::subscribe("http://h/s"), 0) };
        let exchanges = vec![
            stream,
            begun(2, post("sseproof-sentinel-1-1."), 1),
            begun(3, post("it's one"), 2),
            begun(4, post("sseproof-sentinel-1-2."), 3),
            begun(5, post("another"), 5),
        ];
        let mut transcript = Transcript { exchanges, ..Transcript::default() };
        let evidence = Evidence { after_us: 4_000_000, ..place("body", Some(1), "lost") };
        let shown = publication(&transcript, &evidence);
        let expected = r"curl -isN -H 'Accept: text/event-stream' http://h/s & sleep 1; curl -isN --data-raw 'it'\''s one' http://h/publish; kill $!";
        assert_eq!(shown.as_deref(), Some(expected));
        // The answer to a publication shows the fault alone.
        transcript.exchanges[0] = Exchange { role: Some(Role::Answer), ..begun(1, post("x"), 0) };
        let shown = publication(&transcript, &evidence);
        assert_eq!(shown.as_deref(), Some("curl -isN --data-raw x http://h/publish"));
    }
}
