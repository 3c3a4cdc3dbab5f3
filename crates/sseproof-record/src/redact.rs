//! Removes the secrets of the run from a transcript; no other place does.
//!
//! A secret becomes `redacted-1`, the next one `redacted-2`: requests with the same credentials
//! still have the same value, and two users have two.
//! The word is plain ASCII, so that a rule on the bytes of headers gives the same verdict; in a
//! body, and in each value that is compared with a body, it is as long as the secret, so that every
//! offset and every length stays.
//! The judged transcript has no secrets: so no report has to be searched again, and a
//! recording gives the verdicts of the run.
//!
//! `sseproof_http` decides which values are secrets (`credentials.rs`), and `forms.rs` how a server
//! may encode them. A parameter with an unknown name is replaced in its place, and elsewhere only if
//! it is too long and mixed to occur by chance.
//!
//! The bytes of the connections are rewritten (`http1.rs`, `http2.rs`), also where a value is
//! Huffman coded, compressed, or cut by chunks and frames; the exchanges are then derived again.
//! Where that changes more than the secrets, the bytes of the exchange are dropped, and only its
//! headers and its body are kept.

mod body;
mod edits;
mod forms;
mod http1;
mod http2;
mod known;

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use aho_corasick::AhoCorasick;
use sseproof_http::http1::Reader;
use sseproof_http::{
    Bytes, Coding, Headers, is_secret, secrets_by_form, secrets_in, secrets_in_body,
};

use self::body::Stuck;
use self::forms::{Form, Letters};
use self::known::values;
use crate::{Chunk, Connection, Exchange, OnConnection, SharedConnection, Transcript};

/// The replacement of a secret for which there is no room in the search: it has no number, and is
/// replaced only where its place or its form shows it.
const UNNUMBERED: &str = "redacted-0";

/// Each secret with its replacement. Without any, nothing changes.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    words: BTreeMap<Vec<u8>, Word>,
    /// The patterns of the finder: each secret in each encoding.
    forms: Vec<Form>,
    finder: Option<AhoCorasick>,
    /// The parameters that are harmless with any value, and those that are with theirs (`room=lobby`).
    harmless: Vec<String>,
    is_on: bool,
    /// How many more bytes are searched for in all encodings, and at all.
    encoded_room: usize,
    searched_room: usize,
    /// Whether there was no room for a secret.
    is_full: bool,
}

#[derive(Clone, Debug)]
struct Word {
    text: String,
    is_anywhere: bool,
    is_encoded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub transcript: Transcript,
    /// The numbers of the exchanges whose bytes were dropped, since a secret could not be removed
    /// from them.
    pub dropped: Vec<usize>,
}

impl Redacted {
    /// The transcript; `warn` gets a line for each exchange without its bytes.
    pub fn reported(self, warn: impl Fn(String)) -> Transcript {
        for number in self.dropped {
            warn(format!(
                "sseproof: the bytes of exchange {number} are not recorded: a secret in them cannot be redacted"
            ));
        }
        self.transcript
    }
}

type Rewritten = (SharedConnection, Result<Cleared, Stuck>);

#[derive(Clone)]
struct Cleared {
    connection: SharedConnection,
    /// How many chunks are left of each count of chunks before.
    sent: Vec<usize>,
    received: Vec<usize>,
}

impl Secrets {
    pub fn redact(&self, transcript: &Transcript) -> Redacted {
        let mut out = Redacted { transcript: transcript.clone(), dropped: Vec::new() };
        if self.words.is_empty() && !self.is_full {
            return out;
        }
        out.transcript.target.url = self.text(&out.transcript.target.url);
        let mut connections = Vec::new();
        for exchange in &mut out.transcript.exchanges {
            if self.exchange(exchange, &mut connections).is_err() {
                out.dropped.push(exchange.number);
            }
        }
        // Texts of any kind: a publication has to be found again in the stream.
        for happening in &mut out.transcript.run_events {
            happening.what = self.in_texts(&happening.what);
        }
        out
    }

    /// A message without secrets, also without those of a URL that was never requested.
    pub fn text(&self, text: &str) -> String {
        if !self.is_on {
            return text.to_owned();
        }
        let mut out = self.anywhere(text.as_bytes()).to_vec();
        for found in secrets_in(&out).into_iter().rev() {
            if !self.is_harmless(&found, &out) {
                out.splice(found.range, *b"redacted");
            }
        }
        Bytes::from(out).to_text()
    }

    fn exchange(
        &self,
        exchange: &mut Exchange,
        connections: &mut Vec<Rewritten>,
    ) -> Result<(), Stuck> {
        let (on, before) = (exchange.on.take(), exchange.clone());
        self.by_value(exchange);
        let Some(on) = on else { return self.stated(exchange, &before) };
        let known = connections.iter().find(|(known, _)| known.is(&on.connection));
        let cleared = match known {
            Some((_, cleared)) => cleared.clone(),
            None => {
                let cleared = self.cleared(&on.connection.lock(), &before);
                connections.push((on.connection.clone(), cleared.clone()));
                cleared
            }
        };
        let derived = cleared.map(|cleared| {
            let mut derived = exchange.clone();
            let sent = cleared.sent[on.sent.start]..cleared.sent[on.sent.end];
            let received = cleared.received[on.received];
            derived.on = Some(OnConnection { connection: cleared.connection, sent, received });
            derived.derive(Some(before.end.clone()).filter(|end| end.how.is_clients()));
            derived
        });
        match derived {
            Ok(derived) if is_same(&derived, exchange) => {
                *exchange = Exchange { end: exchange.end.clone(), ..derived };
                Ok(())
            }
            _ => {
                drop_bytes(exchange);
                Err(Stuck)
            }
        }
    }

    /// Everything but the bytes of the connection.
    fn by_value(&self, exchange: &mut Exchange) {
        let request = &mut exchange.request;
        request.url = self.text(&request.url);
        let pieces = [&request.body[..]];
        if let Ok(Some(body)) = body::redacted(self, &request.headers, &pieces) {
            let growth = body::growth(&pieces, &body);
            let length = request.headers.first("content-length");
            let length = length.and_then(|text| text.parse::<i64>().ok());
            if let Some(length) = length.filter(|_| growth != 0) {
                request.headers.set("content-length", growth.saturating_add(length).to_string());
            }
            request.body = body.concat().into();
        }
        self.headers(&mut request.headers);
        exchange.name = self.anywhere(exchange.name.as_bytes()).to_text();
        if let Some(proxy) = &mut exchange.transport.proxy {
            *proxy = self.text(proxy);
        }
        exchange.published = self.in_texts(&exchange.published);
        exchange.end.how = self.in_texts(&exchange.end.how);
        let mut is_coded = false;
        if let Some(head) = &mut exchange.head {
            // A coding that was not decoded: the body is as received.
            is_coded = exchange.coded.is_empty() && Coding::of(&head.headers).is_none();
            self.headers(&mut head.headers);
        }
        let pieces: Vec<&[u8]> = exchange.body.iter().map(|chunk| &chunk.bytes[..]).collect();
        let replaced = match &exchange.head {
            Some(head) if is_coded => body::redacted(self, &head.headers, &pieces).ok().flatten(),
            _ => body::as_long(self, &pieces),
        };
        for (chunk, bytes) in exchange.body.iter_mut().zip(replaced.into_iter().flatten()) {
            chunk.bytes = bytes.into();
        }
    }

    /// An exchange that is not derived from a connection.
    fn stated(&self, exchange: &mut Exchange, before: &Exchange) -> Result<(), Stuck> {
        let connection = Connection {
            sent: before.sent.clone(),
            received: before.wire.clone(),
            ..Connection::default()
        };
        let headers = before.head.as_ref().map(|head| head.headers.clone()).unwrap_or_default();
        let coded: Vec<&[u8]> = before.coded.iter().map(|chunk| &chunk.bytes[..]).collect();
        let done = self
            .cleared(&connection, before)
            .and_then(|cleared| Ok((cleared, body::redacted(self, &headers, &coded)?)));
        let Ok((cleared, coded)) = done else {
            drop_bytes(exchange);
            return Err(Stuck);
        };
        let connection = cleared.connection.lock();
        exchange.sent.clone_from(&connection.sent);
        exchange.wire.clone_from(&connection.received);
        for (chunk, bytes) in exchange.coded.iter_mut().zip(coded.into_iter().flatten()) {
            chunk.bytes = bytes.into();
        }
        Ok(())
    }

    fn cleared(&self, connection: &Connection, of: &Exchange) -> Result<Cleared, Stuck> {
        let (sent, received) = if of.transport.stream.is_some() {
            (http2::redacted(self, &connection.sent)?, http2::redacted(self, &connection.received)?)
        } else {
            let answer = Reader::response(&of.request.method);
            (
                http1::redacted(self, &connection.sent, Reader::request())?,
                http1::redacted(self, &connection.received, answer)?,
            )
        };
        let (sent, sent_left) = left(sent);
        let (received, received_left) = left(received);
        let connection = Connection { sent, received, closed: connection.closed };
        let connection = SharedConnection::new(connection);
        Ok(Cleared { connection, sent: sent_left, received: received_left })
    }

    /// The value with the secrets in its texts replaced by words of the same length.
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
            header.value = if is_secret(&header.name) {
                self.field(&header.name, &header.value)
            } else if header.name.eq_ignore_ascii_case("last-event-id") {
                // It is compared with the stream.
                Bytes::from(self.as_long(&header.value))
            } else {
                self.anywhere(&header.value)
            };
        }
    }

    /// The value of a field that holds credentials: here a short secret is replaced, too.
    fn field(&self, name: &str, value: &[u8]) -> Bytes {
        let mut out = value.to_vec();
        for part in values(name, value) {
            // From the end: the name of a cookie may be the same as its value.
            if let Some(word) = self.word(part)
                && let Some(at) = rfind(&out, part)
            {
                out.splice(at..at + part.len(), word.bytes());
            }
        }
        self.anywhere(&out)
    }

    fn anywhere(&self, bytes: &[u8]) -> Bytes {
        let mut out = self.replaced(bytes, false);
        for found in secrets_in(&out).into_iter().rev() {
            let value = &out[found.range.clone()];
            let is_kept = !self.words.contains_key(value) && self.is_harmless(&found, &out);
            if let Some(word) = self.word(value).filter(|_| !is_kept) {
                out.splice(found.range, word.bytes());
            }
        }
        Bytes::from(out)
    }

    /// The same, with words of the same length as the secrets.
    fn as_long(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.replaced(bytes, true);
        if self.is_full {
            for range in secrets_by_form(&out) {
                let by = forms::fitted(UNNUMBERED, range.len(), Letters::Any);
                out.splice(range, by.into_bytes());
            }
        }
        out
    }

    /// The replacement of a value that its place shows to be a secret.
    fn word(&self, value: &[u8]) -> Option<&str> {
        let word = self.words.get(value).map(|word| &*word.text);
        word.or((self.is_full && !value.is_empty() && !forms::is_word(value)).then_some(UNNUMBERED))
    }

    /// The same in a body, where a short secret is replaced in a member with the name of one.
    fn body_as_long(&self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.as_long(bytes);
        for range in secrets_in_body(&out) {
            if let Some(word) = self.word(&out[range.clone()]) {
                let by = forms::fitted(word, range.len(), Letters::Any);
                out.splice(range, by.into_bytes());
            }
        }
        out
    }

    fn replaced(&self, bytes: &[u8], keeps_length: bool) -> Vec<u8> {
        let Some(finder) = &self.finder else { return bytes.to_vec() };
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for found in finder.find_iter(bytes) {
            out.extend_from_slice(&bytes[at..found.start()]);
            out.extend(self.forms[found.pattern().as_usize()].word(keeps_length).bytes());
            at = found.end();
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }

    fn line(&self, line: &[u8]) -> Vec<u8> {
        let name = line.iter().position(|byte| *byte == b':').map(|colon| line.split_at(colon + 1));
        match name {
            Some((name, value)) => {
                let text = String::from_utf8_lossy(&name[..name.len() - 1]).into_owned();
                if text.eq_ignore_ascii_case("last-event-id") {
                    return self.as_long(line);
                }
                if !is_secret(&text) || text.contains(' ') {
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

/// The chunks that are not empty, and how many of them are among the first so many.
fn left(chunks: Vec<Chunk>) -> (Vec<Chunk>, Vec<usize>) {
    let mut counts = vec![0];
    let mut count = 0;
    for chunk in &chunks {
        count += usize::from(!chunk.bytes.is_empty());
        counts.push(count);
    }
    (chunks.into_iter().filter(|chunk| !chunk.bytes.is_empty()).collect(), counts)
}

/// Whether an exchange that was derived anew is the expected one; the length of a compressed body,
/// and so its Content-Length, may differ.
fn is_same(derived: &Exchange, expected: &Exchange) -> bool {
    let head = |exchange: &Exchange| {
        let mut head = exchange.head.clone();
        if let Some(head) = head.as_mut().filter(|_| !expected.coded.is_empty()) {
            head.headers.remove("content-length");
        }
        head
    };
    let coded =
        |exchange: &Exchange| -> Vec<_> { exchange.coded.iter().map(|chunk| chunk.at).collect() };
    let how = |exchange: &Exchange| std::mem::discriminant(&exchange.end.how);
    head(derived) == head(expected)
        && derived.body == expected.body
        && coded(derived) == coded(expected)
        && derived.coding_fault == expected.coding_fault
        && how(derived) == how(expected)
}

/// Keeps only the headers and the decoded body.
fn drop_bytes(exchange: &mut Exchange) {
    exchange.sent.clear();
    exchange.wire.clear();
    if !std::mem::take(&mut exchange.coded).is_empty()
        && exchange.coding_fault.is_none()
        && let Some(head) = &mut exchange.head
    {
        head.headers.remove("content-encoding");
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bstr::ByteSlice::find(bytes, part)
}

fn rfind(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bstr::ByteSlice::rfind(bytes, part)
}

#[cfg(test)]
mod tests;
