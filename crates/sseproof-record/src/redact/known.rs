//! Which values of a run are secrets: those in fields, URLs and bodies, and those that are known before.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use sseproof_http::http1::Reader;
use sseproof_http::{
    Coding, ContentDecoder, Found, Header, Headers, Request, is_secret, is_secret_of_response,
    secrets_by_form, secrets_in, secrets_in_body,
};

use super::{Secrets, Word, find, forms, http1, http2};
use crate::{Exchange, Transcript};

/// The most bytes of all secrets of exchanges that are searched for in three dozen encodings, and that
/// are searched for at all: a server may set any cookies. The search takes a hundred times as much
/// memory.
pub(super) const ENCODED: usize = 16 << 10;
pub(super) const SEARCHED: usize = 256 << 10;

/// A shorter value may occur elsewhere by chance, and is replaced in its field only.
const SHORTEST: usize = 6;
/// The same for the value of a parameter of which only its place is known.
const SHORTEST_UNSURE: usize = 12;

impl Secrets {
    /// The secrets of a run: those that its exchanges and `besides` (requests that are in no
    /// transcript, such as those for a gauge) have in a URL, a field or a body, and of `known`
    /// (variables, say of the environment, with their values) those with the name of a secret and
    /// those that occur in a field.
    pub fn of(transcript: &Transcript, besides: &[Request], known: &[(String, String)]) -> Self {
        Self::but(&[], transcript, besides, known)
    }

    /// The same, but for the values of these parameters: `room`, or `room=lobby` with this value only.
    pub fn but(
        harmless: &[String],
        transcript: &Transcript,
        besides: &[Request],
        known: &[(String, String)],
    ) -> Self {
        let harmless = harmless.to_vec();
        let (encoded_room, searched_room) = (usize::MAX, usize::MAX);
        let mut secrets =
            Self { is_on: true, harmless, encoded_room, searched_room, ..Self::default() };
        for (_, value) in known.iter().filter(|(name, _)| is_secret(name)) {
            secrets.add(value.as_bytes());
        }
        // The first requests have what the user gives, and later ones what the server gave.
        (secrets.encoded_room, secrets.searched_room) = (ENCODED, SEARCHED);
        let requests = transcript.exchanges.iter().map(|exchange| &exchange.request);
        for request in requests.chain(besides) {
            secrets.places(request.url.as_bytes());
            secrets.body(&request.headers, &request.body);
            for header in &request.headers.0 {
                secrets.header(header, false);
                let given = known.iter().map(|(_, value)| value.as_bytes()).filter(|known| {
                    !["host", "origin", "referer"].contains(&&*header.name.to_ascii_lowercase())
                        && known.len() >= SHORTEST
                        && find(&header.value, known).is_some()
                });
                given.for_each(|known| secrets.add(known));
            }
        }
        for exchange in &transcript.exchanges {
            secrets.fields(exchange);
            let pieces: Vec<&[u8]> = exchange.body.iter().map(|chunk| &chunk.bytes[..]).collect();
            let body = pieces.concat();
            for range in secrets_by_form(&body) {
                secrets.add(&body[range]);
            }
            if exchange.head.as_ref().and_then(crate::Head::media_type).as_deref()
                == Some("application/json")
            {
                secrets.body(&Headers::default(), &body);
            }
        }
        secrets.places(transcript.target.url.as_bytes());
        secrets.prepare();
        secrets
    }

    /// The secrets of a text by their place in a URL, or by their form.
    fn places(&mut self, text: &[u8]) {
        for found in secrets_in(text) {
            if self.is_harmless(&found, text) {
                continue;
            }
            let value = &text[found.range];
            if !found.is_sure {
                self.add_unsure(value);
                continue;
            }
            self.add(value);
            // User and password of a URL.
            if let Some(colon) = value.iter().position(|byte| *byte == b':') {
                self.add(&value[colon + 1..]);
            }
        }
    }

    pub(super) fn is_harmless(&self, found: &Found, text: &[u8]) -> bool {
        let Some(name) = found.name.clone().filter(|_| !found.is_sure) else { return false };
        let pair = &text[name.start..found.range.end];
        let is_it =
            |known: &String| known.as_bytes() == &text[name.clone()] || known.as_bytes() == pair;
        self.harmless.iter().any(is_it)
    }

    fn header(&mut self, header: &Header, is_response: bool) {
        self.places(&header.value);
        let is_named =
            if is_response { is_secret_of_response(&header.name) } else { is_secret(&header.name) };
        if is_named {
            for value in values(&header.name, &header.value) {
                self.add(value);
                // The password of `Basic`.
                let given = forms::decoded(value);
                if let Some(colon) = given.iter().position(|byte| *byte == b':') {
                    self.add(&given);
                    self.add(&given[colon + 1..]);
                }
            }
        }
    }

    fn body(&mut self, headers: &Headers, body: &[u8]) {
        let plain = match Coding::of(headers) {
            Some(coding) => {
                let mut decoder = ContentDecoder::new(coding);
                let mut plain = decoder.feed(body);
                plain.extend(decoder.finish());
                plain
            }
            None => body.to_vec(),
        };
        for range in secrets_in_body(&plain).into_iter().chain(secrets_by_form(&plain)) {
            self.add(&plain[range]);
        }
    }

    fn add(&mut self, value: &[u8]) {
        self.note(value, value.len() >= SHORTEST);
        for plain in forms::plain(value) {
            self.note(&plain, plain.len() >= SHORTEST);
        }
    }

    fn add_unsure(&mut self, value: &[u8]) {
        let has = |is: fn(&u8) -> bool| value.iter().any(is);
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        let is_anywhere = value.len() >= SHORTEST_UNSURE && is_mixed;
        self.note(value, is_anywhere);
        forms::plain(value).iter().for_each(|plain| self.note(plain, is_anywhere));
    }

    fn note(&mut self, value: &[u8], is_anywhere: bool) {
        // A replacement is not a secret: a redacted recording stays as it is. Nor is a value that
        // the probes send, such as an unknown session.
        if value.is_empty() || forms::is_word(value) || value.starts_with(b"sseproof-") {
            return;
        }
        if let Some(word) = self.words.get_mut(value) {
            word.is_anywhere |= is_anywhere;
            return;
        }
        let is_encoded = value.len() <= self.encoded_room;
        let room = if is_encoded { &mut self.encoded_room } else { &mut self.searched_room };
        let Some(rest) = room.checked_sub(value.len()) else {
            self.is_full = true;
            return;
        };
        *room = rest;
        let text = format!("redacted-{}", self.words.len() + 1);
        self.words.insert(value.to_vec(), Word { text, is_anywhere, is_encoded });
    }

    fn prepare(&mut self) {
        let words = self.words.iter().filter(|(_, word)| word.is_anywhere);
        let forms = words.flat_map(|(value, word)| {
            let most = if word.is_encoded { usize::MAX } else { 1 };
            forms::of(value, &word.text).into_iter().take(most)
        });
        self.forms = forms.collect();
        let patterns = self.forms.iter().map(|form| &form.bytes);
        // The longest first: a secret may stand within another.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest);
        // A table of all transitions would take kilobytes for each byte of a secret.
        builder.kind(Some(AhoCorasickKind::ContiguousNFA));
        let finder = builder.build(patterns);
        self.finder = finder.ok();
    }

    /// The fields on both ways: also those that the client adds for a proxy.
    fn fields(&mut self, exchange: &Exchange) {
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        if exchange.transport.stream.is_some() {
            http2::fields(&exchange.wire, &mut |field| received.push(field.clone()));
        } else {
            let answer = Reader::response(&exchange.request.method);
            http1::fields(&exchange.sent, Reader::request(), &mut |field| sent.push(field.clone()));
            http1::fields(&exchange.wire, answer, &mut |field| received.push(field.clone()));
        }
        received.extend(exchange.head.iter().flat_map(|head| head.headers.0.iter().cloned()));
        sent.iter().for_each(|field| self.header(field, false));
        received.iter().for_each(|field| self.header(field, true));
    }
}

/// The secret parts of a field: the text after the scheme, and after the names of cookies.
pub(super) fn values<'a>(name: &str, value: &'a [u8]) -> Vec<&'a [u8]> {
    let name = name.to_ascii_lowercase();
    match &*name {
        "cookie" => return value.split(|byte| *byte == b';').map(cookie_value).collect(),
        "set-cookie" => return vec![cookie_value(value)],
        _ => {}
    }
    let scheme = value.iter().position(|byte| *byte == b' ');
    if let Some(space) = scheme.filter(|_| name.ends_with("authorization")) {
        return vec![value[space + 1..].trim_ascii()];
    }
    // A character that no token may have stays, where a rule may find it.
    value.split(|byte| !byte.is_ascii_graphic()).filter(|part| !part.is_empty()).collect()
}

/// The value of the cookie in `name=value; Path=/`.
fn cookie_value(pair: &[u8]) -> &[u8] {
    let pair = pair.split(|byte| *byte == b';').next().unwrap_or_default();
    let equals = pair.iter().position(|byte| *byte == b'=');
    equals.map_or(pair, |equals| &pair[equals + 1..]).trim_ascii()
}
