//! What is told to others, without the secrets of who made the run: the one place that takes them out.
//!
//! A secret becomes `redacted-1`, the next one `redacted-2`: two requests with the same credentials
//! still look alike, and two users still look like two.
//! The word is plain ASCII, so that a rule on the bytes of a head says the same of it; in a stream,
//! where a server may repeat what it was told, and in whatever is compared with a stream, it is as
//! long as the secret, so that every offset and every length stays.
//! What is judged is the transcript without its secrets: so no report needs to be looked through
//! again, and a recording gives the verdicts of the run.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use sseproof_http::{CREDENTIAL_PARAMETERS, is_credential};

use crate::{Bytes, Chunk, Exchange, Headers, Request, Transcript};

/// A shorter value is too likely to stand somewhere by chance, and is replaced in its field only.
const SHORTEST: usize = 6;

/// Each secret with the word that stands for it. Without any, all stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<Vec<u8>, String>);

impl Secrets {
    /// The secrets of a run: the values of fields and query parameters that hold credentials, in
    /// its exchanges and in `besides` (requests that are in no transcript, such as those for a
    /// gauge), and of `known` (variables, say of the environment, with their values) those with the
    /// name of a secret and those that stand in a field.
    pub fn of(transcript: &Transcript, besides: &[Request], known: &[(String, String)]) -> Self {
        let mut secrets = Self::default();
        for (_, value) in known.iter().filter(|(name, _)| is_credential(name)) {
            secrets.add(value.as_bytes());
        }
        let requests = transcript.exchanges.iter().map(|exchange| &exchange.request);
        for request in requests.chain(besides) {
            secrets.parameters(&request.url);
            for header in &request.headers.0 {
                if is_credential(&header.name) {
                    for value in values(&header.name, &header.value) {
                        secrets.add(value);
                    }
                }
                let given = known.iter().map(|(_, value)| value.as_bytes()).filter(|known| {
                    !["host", "origin", "referer"].contains(&&*header.name.to_ascii_lowercase())
                        && known.len() >= SHORTEST
                        && find(&header.value, known).is_some()
                });
                given.for_each(|known| secrets.add(known));
            }
        }
        for exchange in &transcript.exchanges {
            // The client adds what a proxy on the way wants to be shown.
            let sent: Vec<u8> =
                exchange.sent.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
            for line in sent[..heads_end(&sent)].split(|byte| *byte == b'\n') {
                let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
                if line[..colon].eq_ignore_ascii_case(b"proxy-authorization") {
                    let value = line[colon + 1..].trim_ascii();
                    values("proxy-authorization", value)
                        .into_iter()
                        .for_each(|one| secrets.add(one));
                }
            }
            let head = exchange.head.iter().flat_map(|head| head.headers.all("set-cookie"));
            head.for_each(|header| secrets.add(cookie_value(&header.value)));
        }
        secrets.parameters(&transcript.target.url);
        secrets
    }

    /// The transcript without them.
    pub fn told(&self, transcript: &Transcript) -> Transcript {
        let mut out = transcript.clone();
        if self.0.is_empty() {
            return out;
        }
        out.target.url = self.text(&out.target.url);
        for exchange in &mut out.exchanges {
            self.exchange(exchange);
        }
        // Texts of any kind: what was published has to be found again in the stream.
        for happening in &mut out.happenings {
            happening.what = self.in_texts(&happening.what);
        }
        out
    }

    /// The text without them.
    pub fn text(&self, text: &str) -> String {
        self.anywhere(text.as_bytes()).to_text()
    }

    fn parameters(&mut self, url: &str) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('#').next().unwrap_or_default().split('&') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            if CREDENTIAL_PARAMETERS.contains(&&*name.to_ascii_lowercase()) {
                self.add(value.as_bytes());
            }
        }
    }

    fn add(&mut self, value: &[u8]) {
        let number = self.0.len() + 1;
        // What is a secret already need not become one again: a redacted recording stays as it is.
        if !value.is_empty() && !value.starts_with(b"redacted-") {
            self.0.entry(value.to_vec()).or_insert_with(|| format!("redacted-{number}"));
        }
    }

    fn exchange(&self, exchange: &mut Exchange) {
        exchange.request.url = self.text(&exchange.request.url);
        self.headers(&mut exchange.request.headers);
        exchange.request.body = self.anywhere(&exchange.request.body);
        exchange.published = self.in_texts(&exchange.published);
        exchange.end.how = self.in_texts(&exchange.end.how);
        if exchange.request.version.is_http1() {
            self.joined(&mut exchange.sent, usize::MAX);
        } else {
            // A frame says how long it is.
            self.in_place(&mut exchange.sent);
        }
        if let Some(head) = &mut exchange.head {
            self.headers(&mut head.headers);
        }
        if exchange.request.version.is_http1() {
            let wire = exchange.wire_bytes();
            self.joined(&mut exchange.wire, heads_end(&wire));
        }
        // The answer to a login, say, has the token that later requests carry.
        self.in_place(&mut exchange.wire);
        let before = exchange.body.clone();
        self.in_place(&mut exchange.body);
        // Nobody finds the secret in the compressed bytes, but whoever undoes them.
        if exchange.body != before && !exchange.coded.is_empty() {
            exchange.coded.clear();
            exchange.wire.clear();
            if let Some(head) = &mut exchange.head {
                head.headers.remove("content-encoding");
            }
        }
    }

    /// Replaces the secrets in what came or went in pieces, each by a word that is as long.
    fn in_place(&self, chunks: &mut [Chunk]) {
        let all: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
        let mut rest = self.as_long(&all);
        for chunk in chunks {
            let behind = rest.split_off(chunk.bytes.len());
            chunk.bytes = Bytes::from(std::mem::replace(&mut rest, behind));
        }
    }

    /// The value with the secrets in its texts replaced by words that are as long.
    fn in_texts<T: Clone + Serialize + DeserializeOwned>(&self, value: &T) -> T {
        let Ok(mut json) = serde_json::to_value(value) else { return value.clone() };
        self.in_json(&mut json);
        serde_json::from_value(json).unwrap_or_else(|_| value.clone())
    }

    fn in_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => {
                *text = String::from_utf8_lossy(&self.as_long(text.as_bytes())).into_owned();
            }
            Value::Array(all) => all.iter_mut().for_each(|one| self.in_json(one)),
            Value::Object(all) => all.values_mut().for_each(|one| self.in_json(one)),
            _ => {}
        }
    }

    fn headers(&self, headers: &mut Headers) {
        for header in &mut headers.0 {
            header.value = if is_credential(&header.name) || is_cookie(&header.name) {
                self.field(&header.name, &header.value)
            } else if header.name.eq_ignore_ascii_case("last-event-id") {
                // It is compared with what the stream said.
                Bytes::from(self.as_long(&header.value))
            } else {
                self.anywhere(&header.value)
            };
        }
    }

    /// The value of a field that holds credentials: here a short secret is replaced, too.
    fn field(&self, name: &str, value: &[u8]) -> Bytes {
        let mut out = value.to_vec();
        let parts: Vec<&[u8]> =
            if is_cookie(name) { vec![cookie_value(value)] } else { values(name, value) };
        for part in parts {
            if let Some(word) = self.0.get(part) {
                // From behind: the name of a cookie may be the same as its value.
                if let Some(at) = rfind(&out, part) {
                    out.splice(at..at + part.len(), word.bytes());
                }
            }
        }
        self.anywhere(&out)
    }

    /// The bytes with every secret replaced that is long enough.
    fn anywhere(&self, bytes: &[u8]) -> Bytes {
        Bytes::from(self.replaced(bytes, |word, _| word.to_owned()))
    }

    /// The same, with words that are as long as the secrets.
    fn as_long(&self, bytes: &[u8]) -> Vec<u8> {
        self.replaced(bytes, |word, length| {
            // The number tells one from another, also where there is not much room.
            let number = word.trim_start_matches("redacted-");
            let word = if word.len() <= length { word.to_owned() } else { format!("r{number}") };
            format!("{word:x<length$}")[..length].to_owned()
        })
    }

    fn replaced(&self, bytes: &[u8], by: impl Fn(&str, usize) -> String) -> Vec<u8> {
        let mut out = bytes.to_vec();
        // The longest first: a secret may stand within another.
        let mut secrets: Vec<_> =
            self.0.iter().filter(|(value, _)| value.len() >= SHORTEST).collect();
        secrets.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        for (value, word) in secrets {
            let mut from = 0;
            let word = by(word, value.len());
            while let Some(at) = find(&out[from..], value) {
                out.splice(from + at..from + at + value.len(), word.bytes());
                from += at + word.len();
            }
        }
        out
    }

    /// Replaces the secrets in the first `end` bytes of what came or went in pieces, line by line.
    ///
    /// A secret may be torn by the border of two pieces, so the pieces of a head that has one
    /// become one piece, with the time of the last of them.
    fn joined(&self, chunks: &mut Vec<Chunk>, end: usize) {
        let mut head = Vec::new();
        let mut count = 0;
        let mut at = None;
        for chunk in chunks.iter() {
            if head.len() >= end.min(usize::MAX - 1) {
                break;
            }
            head.extend_from_slice(&chunk.bytes);
            at = Some(chunk.at);
            count += 1;
        }
        let Some(at) = at else { return };
        let rest = head.split_off(end.min(head.len()));
        let lines: Vec<u8> =
            head.split_inclusive(|byte| *byte == b'\n').flat_map(|line| self.line(line)).collect();
        if lines == head {
            return;
        }
        let pieces = [lines, rest].into_iter().filter(|bytes| !bytes.is_empty());
        let pieces: Vec<_> = pieces.map(|bytes| Chunk { at, bytes: Bytes::from(bytes) }).collect();
        chunks.splice(0..count, pieces);
    }

    fn line(&self, line: &[u8]) -> Vec<u8> {
        let name = line.iter().position(|byte| *byte == b':').map(|colon| line.split_at(colon + 1));
        match name {
            Some((name, value)) => {
                let text = String::from_utf8_lossy(&name[..name.len() - 1]).into_owned();
                if text.eq_ignore_ascii_case("last-event-id") {
                    return self.as_long(line);
                }
                if !is_credential(&text) && !is_cookie(&text) {
                    return self.anywhere(line).to_vec();
                }
                let blank = value.len() - value.trim_ascii_start().len();
                let end = value.trim_ascii_end().len().max(blank);
                let field = self.field(&text, &value[blank..end]);
                [name, &value[..blank], &field, &value[end..]].concat()
            }
            None => self.anywhere(line).to_vec(),
        }
    }
}

fn is_cookie(name: &str) -> bool {
    name.eq_ignore_ascii_case("set-cookie")
}

/// The secret parts of a field: what stands behind the scheme, and behind the names of cookies.
fn values<'a>(name: &str, value: &'a [u8]) -> Vec<&'a [u8]> {
    if name.eq_ignore_ascii_case("cookie") {
        return value.split(|byte| *byte == b';').map(cookie_value).collect();
    }
    let has_scheme = name.to_ascii_lowercase().ends_with("authorization");
    let scheme = has_scheme.then(|| value.iter().position(|byte| *byte == b' ')).flatten();
    vec![scheme.map_or(value, |space| value[space + 1..].trim_ascii())]
}

/// The value of the cookie in `name=value; Path=/`.
fn cookie_value(pair: &[u8]) -> &[u8] {
    let pair = pair.split(|byte| *byte == b';').next().unwrap_or_default();
    let equals = pair.iter().position(|byte| *byte == b'=');
    equals.map_or(pair, |equals| &pair[equals + 1..]).trim_ascii()
}

/// Where the heads on the wire end: that of the answer, and those of interim answers before it.
fn heads_end(wire: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let head = &wire[end..];
        let interim = head.starts_with(b"HTTP/1.1 1") || head.starts_with(b"HTTP/1.0 1");
        let Some(at) = find(head, b"\r\n\r\n") else { return wire.len() };
        end += at + 4;
        if !interim {
            return end;
        }
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bstr::ByteSlice::find(bytes, part)
}

fn rfind(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bstr::ByteSlice::rfind(bytes, part)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Happening, Head, Published, Target, Version, What, write_recording};

    fn redacted(transcript: &Transcript, known: &[(String, String)]) -> Transcript {
        Secrets::of(transcript, &[], known).told(transcript)
    }

    fn chunk(text: &str) -> Chunk {
        Chunk { at: Duration::ZERO, bytes: Bytes::from(text) }
    }

    /// A variable whose name says nothing of a secret.
    fn tenant() -> (String, String) {
        ("TENANT".to_owned(), "of-the-environment".to_owned())
    }

    fn transcript() -> Transcript {
        let url = "http://h/s?topic=a&token=from-the-query#x";
        let request = Request::subscribe(url)
            .with("Authorization", "Bearer top-secret")
            .with("Cookie", "theme=dark; sid=1234567")
            .with("X-Tenant", "of-the-environment/7");
        let head = "HTTP/1.1 200 OK\r\nSet-Cookie: sid=89abcdef; Path=/\r\nX-You: 1234567\r\n\r\n";
        let exchange = Exchange {
            sent: vec![
                chunk(
                    "GET /s?topic=a&token=from-the-query HTTP/1.1\r\nAuthorization: Bearer top-se",
                ),
                chunk(
                    "cret\r\nCookie: theme=dark; sid=1234567\r\nX-Tenant: of-the-environment/7\r\n\r\n",
                ),
            ],
            head: Some(Head {
                at: Duration::ZERO,
                version: Version::Http11,
                status: 200,
                headers: [("Set-Cookie", "sid=89abcdef; Path=/"), ("X-You", "1234567")]
                    .into_iter()
                    .collect(),
            }),
            wire: vec![chunk(&head[..30]), chunk(&format!("{}data: top-secret\n\n", &head[30..]))],
            body: vec![chunk("data: top-secret\n\n")],
            ..Exchange::begun(1, request, Duration::ZERO)
        };
        let target = Target { url: url.to_owned(), method: "GET".to_owned(), profile: None };
        Transcript { target, exchanges: vec![exchange], ..Transcript::default() }
    }

    #[test]
    fn no_secret_is_left() {
        let mut redacted = redacted(&transcript(), &[tenant()]);
        let exchange = &mut redacted.exchanges[0];
        // As long as it was: a fault behind it stands where it stood.
        let stream = "data: redacted-2\n\n";
        assert_eq!(stream.len(), "data: top-secret\n\n".len());
        assert_eq!(exchange.body[0].bytes.to_text(), stream);
        let text = write_recording(&redacted);
        for secret in ["top-se", "1234567", "89abcdef", "from-the-query", "of-the-env", "dark"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        for kept in ["Bearer redacted-", "sid=redacted-", "topic=a&token=redacted-", "; Path=/"] {
            assert!(text.contains(kept), "{kept} not in {text}");
        }
    }

    #[test]
    fn the_same_secret_has_the_same_word_and_another_another() {
        let mut transcript = transcript();
        let mut second = transcript.exchanges[0].clone();
        second.request.headers.set("Authorization", "Bearer top-secret2");
        transcript.exchanges.extend([transcript.exchanges[0].clone(), second]);
        let redacted = redacted(&transcript, &[]);
        let of = |index: usize| redacted.exchanges[index].request.headers.first("authorization");
        assert_eq!(of(0), of(1));
        assert_ne!(of(0), of(2));
    }

    #[test]
    fn to_redact_twice_changes_nothing_more() {
        let once = redacted(&transcript(), &[tenant()]);
        assert_eq!(redacted(&once, &[]), once);
    }

    #[test]
    fn what_has_no_secret_stays_as_it_is() {
        let exchange = Exchange {
            wire: vec![chunk("HTTP/1.1 2"), chunk("00 OK\r\n\r\n"), chunk("data: x\n\n")],
            ..Exchange::begun(1, Request::subscribe("http://h/s"), Duration::ZERO)
        };
        let transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
        assert_eq!(redacted(&transcript, &[]), transcript);
    }

    #[test]
    fn what_a_stream_repeats_keeps_its_length_and_stays_comparable() {
        let mut transcript = transcript();
        let exchange = &mut transcript.exchanges[0];
        // Torn by two pieces, and taken for an id.
        exchange.body = vec![chunk("id: top-se"), chunk("cret\ndata: 1234567, top-secret\n\n")];
        exchange.request.headers.set("Last-Event-ID", "top-secret");
        let published = Published { data: "top-secret".to_owned(), ..Published::default() };
        exchange.published = vec![published.clone()];
        let failed = Some("POST /restart?token=top-secret answered 500".to_owned());
        transcript.happenings = [
            What::Restarted { ready_us: None, failed },
            What::Published { what: published, answered_us: None },
        ]
        .map(|what| Happening {
            at: Duration::ZERO,
            scenario: String::new(),
            name: String::new(),
            what,
        })
        .to_vec();
        let told = redacted(&transcript, &[]);
        let exchange = &told.exchanges[0];
        let body = String::from_utf8(exchange.body_bytes()).unwrap();
        assert_eq!(exchange.body[0].bytes.len(), "id: top-se".len());
        assert_eq!(body.len(), transcript.exchanges[0].body_bytes().len());
        let id = exchange.request.headers.first("last-event-id").unwrap();
        assert!(id.starts_with("redacted-"), "{id}");
        assert!(body.starts_with(&format!("id: {id}\ndata: r")), "{body}");
        assert_eq!(exchange.published[0].data, id);
        assert!(!format!("{told:?}").contains("top-secret"));
    }

    #[test]
    fn what_is_asked_besides_and_variables_have_secrets_too() {
        let gauge =
            Request::subscribe("http://h/active?token=of-the-gauge").with("X-Key", "abcdefg");
        let variables = [("API_TOKEN", "of-a-variable"), ("TOPIC", "weather")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets = Secrets::of(&Transcript::default(), &[gauge], &variables);
        let told = secrets.text("GET /active?token=of-the-gauge, abcdefg, of-a-variable, weather");
        for secret in ["of-the-gauge", "abcdefg", "of-a-variable"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.contains("weather"), "{told}");
        assert_eq!(Secrets::default().text("Bearer x"), "Bearer x");
    }

    #[test]
    fn the_answer_to_a_login_loses_the_token_that_later_requests_carry() {
        let mut transcript = transcript();
        transcript.exchanges[0].judged = false;
        let redacted = redacted(&transcript, &[]);
        assert!(!redacted.exchanges[0].body[0].bytes.to_text().contains("top-secret"));
    }
}
