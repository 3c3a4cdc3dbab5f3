//! The bytes on the wire, in both directions, for people.
//!
//! `>` was sent, `<` was received, `*` happened to the connection.
//! Times are seconds since the exchange began.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use memchr::memchr_iter;
use sseproof_http::Bytes;
use sseproof_http::http1::Message;
use sseproof_record::{Exchange, Source, Transcript};
use sseproof_rules::{Evidence, Excerpt};
use sseproof_units::{counted, duration, inert};

use crate::dump::dump;

use crate::Judged;

/// Lines of the request, and of the response headers, in a short log.
const HEAD: usize = 24;
/// Lines before and after the fault in a short log.
const AROUND: usize = 8;
/// Characters of a line in a short log.
const WIDTH: usize = 160;
/// Bytes of one piece in hex in a long log.
const HEX: usize = 64 << 10;

/// The part of the log that shows the fault: the request, the response headers, the bytes around
/// the fault, and the end.
pub fn around(exchange: &Exchange, evidence: &Evidence) -> Vec<String> {
    let pieces = pieces(exchange);
    let first_line = |is: &dyn Fn(&Piece) -> bool| pieces.iter().find(|piece| is(piece));
    let all = pieces.last().map_or(0, |last| last.lines.end);
    let head = first_line(&|piece| piece.is_body).map_or(all, |piece| piece.lines.start);
    let sent = first_line(&|piece| piece.mark == '<').map_or(all, |piece| piece.lines.start);
    let fault = fault_line(&pieces, evidence).unwrap_or(0);
    let kept = [
        0..sent.min(HEAD),
        sent..head.min(sent + HEAD),
        fault.saturating_sub(AROUND).max(head)..(fault + AROUND + 1).max(head),
        all.saturating_sub(1)..all,
    ];
    let mut out: Vec<String> = Vec::new();
    let mut left_out = 0;
    for piece in &pieces {
        if !kept.iter().any(|kept| kept.start < piece.lines.end && piece.lines.start < kept.end) {
            left_out += piece.lines.len();
            continue;
        }
        for (index, line) in piece.lines.clone().zip(piece.texts()) {
            if !kept.iter().any(|kept| kept.contains(&index)) {
                left_out += 1;
                continue;
            }
            if left_out > 0 {
                out.push(format!("          … {} left out", counted(left_out, "line")));
                left_out = 0;
            }
            out.push(line.shown(WIDTH));
        }
    }
    out
}

/// The whole log of a failed finding, for a file: the message, then each exchange that shows it,
/// with every byte.
pub fn whole(finding: &Judged, transcript: &Transcript) -> String {
    let mut out = format!("{}: {}\n{}\n", finding.rule, finding.headline(), finding.link);
    let _ = writeln!(out, "> sent, < received, * the connection; seconds since the exchange began");
    let mut shown = Vec::new();
    for evidence in &finding.evidence {
        let number = evidence.exchange;
        let exchange = transcript.exchanges.iter().find(|exchange| exchange.number == number);
        let Some(exchange) = exchange else { continue };
        if shown.contains(&number) {
            continue;
        }
        shown.push(number);
        let name = if exchange.name.is_empty() { "" } else { ", " };
        let _ = writeln!(
            out,
            "\n=== exchange {number}: {} ({}{name}{}), begun {} after the start of the run",
            exchange.request.label(),
            exchange.scenario,
            exchange.name,
            duration(exchange.started),
        );
        for evidence in finding.evidence.iter().filter(|one| one.exchange == number) {
            let at = evidence.offset.map_or_else(String::new, |at| format!(", byte {at}"));
            let _ = writeln!(out, "!!! {}{at}: {}", evidence.place, evidence.message);
        }
        exchange_log(&mut out, exchange, transcript.source);
    }
    inert(&out)
}

fn exchange_log(out: &mut String, exchange: &Exchange, source: Source) {
    if source != Source::Run {
        out.push_str("    (from a file without times; the request is a guess)\n");
    }
    for piece in pieces(exchange) {
        if piece.is_body {
            let _ = writeln!(out, "{} < {}", time(piece.at), counted(piece.bytes.len(), "byte"));
            let shown = piece.bytes.slice(..piece.bytes.len().min(HEX));
            let rest = piece.bytes.len() - shown.len();
            let excerpt =
                Excerpt { start: piece.offset, bytes: shown, mark: u64::MAX, at_end: false };
            for line in dump(&excerpt, false, 100) {
                let _ = writeln!(out, "            {line}");
            }
            if rest > 0 {
                let _ = writeln!(out, "            … {} left out", counted(rest, "byte"));
            }
            continue;
        }
        for line in piece.texts() {
            let _ = writeln!(out, "{}", line.shown(usize::MAX));
        }
    }
}

/// Bytes that crossed the wire together, of headers or of a body; or an event of the connection.
///
/// Its lines are made only when they are shown: millions of them are short.
struct Piece {
    at: Duration,
    mark: char,
    bytes: Bytes,
    is_body: bool,
    /// Where it begins among the bytes on the wire, and in the body.
    offset: u64,
    /// Its lines among those of the log.
    lines: Range<usize>,
}

struct Line<'p> {
    at: Duration,
    /// Whether the time is that of the line before.
    continues: bool,
    mark: char,
    bytes: &'p [u8],
    offset: u64,
}

impl Piece {
    /// In the body, a line end is shown unless it is a bare line feed.
    fn texts(&self) -> impl Iterator<Item = Line<'_>> {
        let mut offset = self.offset;
        self.bytes.split_inclusive(|byte| *byte == b'\n').enumerate().map(move |(index, raw)| {
            let line = raw.strip_suffix(b"\n").unwrap_or(raw);
            let bytes = if self.is_body { line } else { line.strip_suffix(b"\r").unwrap_or(line) };
            let this = offset;
            offset += raw.len() as u64;
            Line { at: self.at, continues: index > 0, mark: self.mark, bytes, offset: this }
        })
    }
}

impl Line<'_> {
    fn shown(&self, width: usize) -> String {
        let text = Bytes::from(self.bytes).escaped();
        let more = text.chars().count().saturating_sub(width);
        let mut text: String = text.chars().take(width).collect();
        if more > 0 {
            let _ = write!(text, "… ({more} more)");
        }
        let time = if self.continues { " ".repeat(9) } else { time(self.at) };
        format!("{time} {} {text}", self.mark).trim_end().to_owned()
    }
}

fn time(at: Duration) -> String {
    format!("{:>9}", format!("+{:.3} s", at.as_secs_f64()))
}

fn pieces(exchange: &Exchange) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut add = |at: Duration, mark, bytes: Bytes, offset, is_body| {
        let at = at.saturating_sub(exchange.started);
        pieces.push(Piece { at, mark, bytes, is_body, offset, lines: 0..0 });
    };
    if let Some(at) = exchange.phases.connected {
        add(at, '*', "connected".into(), 0, false);
    }
    if exchange.sent.is_empty() && exchange.phases.sent.is_some() {
        add(exchange.started, '>', request(exchange).into(), 0, false);
    }
    for chunk in &exchange.sent {
        add(chunk.at, '>', chunk.bytes.clone(), 0, false);
    }
    let (head, received) = received(exchange);
    let mut offset = 0;
    for (at, bytes) in received {
        let in_head = usize::try_from(head.saturating_sub(offset)).unwrap_or(usize::MAX);
        let in_head = in_head.min(bytes.len());
        add(at, '<', bytes.slice(..in_head), offset, false);
        add(at, '<', bytes.slice(in_head..), offset + in_head as u64, head > 0);
        offset += bytes.len() as u64;
    }
    add(exchange.end.at, '*', exchange.end.how.to_string().into(), 0, false);
    pieces.retain(|piece| !piece.bytes.is_empty());
    pieces.sort_by_key(|piece| piece.at);
    let mut lines = 0;
    for piece in &mut pieces {
        let ends = memchr_iter(b'\n', &piece.bytes).count();
        let count = ends + usize::from(piece.bytes.last() != Some(&b'\n'));
        piece.lines = lines..lines + count;
        lines += count;
    }
    pieces
}

/// The end of the headers, and the received pieces: from the wire, or built from headers and body
/// if the wire has no text.
fn received(exchange: &Exchange) -> (u64, Vec<(Duration, Bytes)>) {
    if !exchange.wire.is_empty() && exchange.wire_bytes().starts_with(b"HTTP/") {
        let wire = exchange.wire_bytes();
        let head = Message::read(&wire, &exchange.request.method).head;
        let end = head.map_or(wire.len(), |head| head.end);
        let pieces = exchange.wire.iter().map(|chunk| (chunk.at, chunk.bytes.clone()));
        return (end as u64, pieces.collect());
    }
    let mut pieces = Vec::new();
    let mut end = 0;
    if let Some(head) = &exchange.head {
        let mut bytes = format!("HTTP {}\r\n", head.status).into_bytes();
        for header in &head.headers.0 {
            bytes.extend_from_slice(format!("{}: ", header.name).as_bytes());
            bytes.extend_from_slice(&header.value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        end = bytes.len() as u64;
        pieces.push((head.at, Bytes::from(bytes)));
    }
    pieces.extend(exchange.body.iter().map(|chunk| (chunk.at, chunk.bytes.clone())));
    (end, pieces)
}

fn request(exchange: &Exchange) -> Vec<u8> {
    let mut out = format!("{}\r\n", exchange.request.label()).into_bytes();
    for header in &exchange.request.headers.0 {
        out.extend_from_slice(format!("{}: ", header.name).as_bytes());
        out.extend_from_slice(&header.value);
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn fault_line(pieces: &[Piece], evidence: &Evidence) -> Option<usize> {
    let last = pieces.last()?.lines.end.checked_sub(1)?;
    match (evidence.place.as_str(), evidence.offset) {
        ("wire", Some(offset)) => {
            let is_before = |piece: &&Piece| piece.mark == '<' && piece.offset <= offset;
            let Some(piece) = pieces.iter().rfind(is_before) else { return Some(last) };
            let lines = piece.texts().take_while(|line| line.offset <= offset).count();
            Some(piece.lines.start + lines.saturating_sub(1))
        }
        // The wire has the framing, too, so the time finds the place.
        ("body" | "decoded body" | "coded body", _) => {
            let head = pieces.iter().find(|piece| piece.mark == '<').map(|piece| piece.at)?;
            let at = head + Duration::from_micros(evidence.after_us);
            let fault = pieces.iter().find(|piece| piece.is_body && piece.at >= at);
            Some(fault.map_or(last, |piece| piece.lines.start))
        }
        ("exchange", _) => Some(last),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{fail, place};
    use insta::assert_snapshot;
    use sseproof_record::{Chunk, read_recording};
    use sseproof_rules::Level;

    /// With forty events, one each 50 ms, and a byte that is not valid UTF-8.
    fn exchange() -> Exchange {
        let recording = include_str!("../tests/wire_log.jsonl");
        read_recording(recording).unwrap().exchanges.remove(0)
    }

    fn evidence() -> Evidence {
        let after_us = 96_000 + 20 * 50_000;
        Evidence { after_us, ..place("body", Some(199), "invalid UTF-8: byte e9") }
    }

    #[test]
    fn a_short_log_shows_the_heads_the_fault_and_the_end() {
        assert_snapshot!(around(&exchange(), &evidence()).join("\n"));
    }

    #[test]
    fn a_short_log_stays_short() {
        let mut exchange = exchange();
        exchange.body.clear();
        exchange.wire.truncate(1);
        exchange.wire.push(Chunk {
            at: exchange.end.at,
            bytes: Bytes::from("x\n".repeat(1_000_000).into_bytes()),
        });
        exchange
            .wire
            .push(Chunk { at: exchange.end.at, bytes: Bytes::from(vec![b'y'; 1_000_000]) });
        for place in ["wire", "body", "exchange", "head"] {
            let evidence = Evidence { place: place.to_owned(), ..evidence() };
            let text = around(&exchange, &evidence).join("\n");
            assert!(text.len() < 4_096, "{place}: {}", text.len());
        }
    }

    #[test]
    fn a_long_log_has_every_byte() {
        let finding = fail("stream/utf8", Level::Must, &[evidence()]);
        let mut exchange = exchange();
        for pieces in [&mut exchange.wire, &mut exchange.body] {
            pieces.drain(4..20);
            pieces.truncate(6);
        }
        let transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
        assert_snapshot!(whole(&finding, &transcript));
    }

    #[test]
    fn without_a_wire_head_and_body_stand_for_it() {
        let mut exchange = exchange();
        exchange.wire.clear();
        exchange.sent.clear();
        let text = around(&exchange, &evidence()).join("\n");
        for line in ["> GET /events", "< HTTP 200", "data: caf\\xE9\\r", "* sseproof disconnected"]
        {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
