//! The bytes on the wire, in both directions, for people.
//!
//! `>` was sent, `<` was received, `*` happened to the connection.
//! Times are seconds since the exchange began.

use std::fmt::Write as _;
use std::time::Duration;

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
    let lines = lines(exchange);
    let head = lines.iter().position(|line| line.is_body).unwrap_or(lines.len());
    let fault = fault_line(&lines, evidence).unwrap_or(0);
    let sent = lines.iter().take_while(|line| line.mark != '<').count();
    let is_kept = |index: usize| {
        index < sent.min(HEAD)
            || (sent..head.min(sent + HEAD)).contains(&index)
            || index + AROUND >= fault && index <= fault + AROUND && index >= head
            || index + 1 == lines.len()
    };
    let mut out: Vec<String> = Vec::new();
    let mut left_out = 0;
    for (index, line) in lines.iter().enumerate() {
        if !is_kept(index) {
            left_out += 1;
            continue;
        }
        if left_out > 0 {
            out.push(format!("          … {} left out", counted(left_out, "line")));
            left_out = 0;
        }
        out.push(line.shown(WIDTH));
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
    let lines = lines(exchange);
    for line in &lines {
        match &line.raw {
            Some((offset, bytes)) => {
                let _ = writeln!(out, "{} < {}", line.time(), counted(bytes.len(), "byte"));
                let shown = &bytes[..bytes.len().min(HEX)];
                let excerpt =
                    Excerpt { start: *offset, bytes: shown.into(), mark: u64::MAX, at_end: false };
                for line in dump(&excerpt, false, 100) {
                    let _ = writeln!(out, "            {line}");
                }
                if shown.len() < bytes.len() {
                    let rest = counted(bytes.len() - shown.len(), "byte");
                    let _ = writeln!(out, "            … {rest} left out");
                }
            }
            None if line.is_body => {}
            None => {
                let _ = writeln!(out, "{}", line.shown(usize::MAX));
            }
        }
    }
}

struct Line {
    at: Duration,
    /// Whether the time is that of the line before.
    continues: bool,
    mark: char,
    text: String,
    is_body: bool,
    /// For the first line of a piece of the body: its offset, and all of it.
    raw: Option<(u64, Vec<u8>)>,
    /// Where the line begins among the bytes on the wire, and in the body.
    offset: u64,
}

impl Line {
    fn time(&self) -> String {
        if self.continues {
            return " ".repeat(9);
        }
        format!("{:>9}", format!("+{:.3} s", self.at.as_secs_f64()))
    }

    fn shown(&self, width: usize) -> String {
        let mut text: String = self.text.chars().take(width).collect();
        let more = self.text.chars().count().saturating_sub(width);
        if more > 0 {
            let _ = write!(text, "… ({more} more)");
        }
        format!("{} {} {text}", self.time(), self.mark).trim_end().to_owned()
    }
}

fn lines(exchange: &Exchange) -> Vec<Line> {
    let mut lines = Vec::new();
    let since = |at: Duration| at.saturating_sub(exchange.started);
    let happened = |at: Duration, text: &str| Line {
        at: since(at),
        continues: false,
        mark: '*',
        text: text.to_owned(),
        is_body: false,
        raw: None,
        offset: 0,
    };
    lines.extend(exchange.phases.connected.map(|at| happened(at, "connected")));
    if exchange.sent.is_empty() && exchange.phases.sent.is_some() {
        lines.extend(texts(since(exchange.started), '>', &request(exchange), 0, 0));
    }
    for chunk in &exchange.sent {
        lines.extend(texts(since(chunk.at), '>', &chunk.bytes, 0, 0));
    }
    let (head, pieces) = received(exchange);
    let mut offset = 0;
    for (at, bytes) in &pieces {
        let before = lines.len();
        let in_head = usize::try_from(head.saturating_sub(offset)).unwrap_or(usize::MAX);
        let in_head = in_head.min(bytes.len());
        lines.extend(texts(since(*at), '<', &bytes[..in_head], offset, 0));
        let body = &bytes[in_head..];
        if !body.is_empty() {
            let start = offset + in_head as u64;
            let first = lines.len();
            lines.extend(texts(since(*at), '<', body, start, head));
            lines[first].raw = Some((start, body.to_vec()));
        }
        if let Some(first) = lines.get_mut(before) {
            first.continues = false;
        }
        offset += bytes.len() as u64;
    }
    lines.push(happened(exchange.end.at, &exchange.end.how.to_string()));
    lines.sort_by_key(|line| line.at);
    lines
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

/// The bytes as lines; in the body, a line end is shown unless it is a bare line feed.
fn texts(at: Duration, mark: char, bytes: &[u8], start: u64, head: u64) -> Vec<Line> {
    let mut offset = start;
    let is_body = mark == '<' && head > 0;
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, raw)| {
            let line = raw.strip_suffix(b"\n").unwrap_or(raw);
            let line = if is_body { line } else { line.strip_suffix(b"\r").unwrap_or(line) };
            let text = Bytes::from(line).escaped();
            let this = offset;
            offset += raw.len() as u64;
            let continues = index > 0;
            Line { at, continues, mark, text, is_body, raw: None, offset: this }
        })
        .collect()
}

fn fault_line(lines: &[Line], evidence: &Evidence) -> Option<usize> {
    let last = lines.len().checked_sub(1)?;
    let begun_behind = |found: &dyn Fn(&Line) -> bool| lines.iter().rposition(found);
    match (evidence.place.as_str(), evidence.offset) {
        ("wire", Some(offset)) => {
            begun_behind(&|line| line.mark == '<' && line.offset <= offset).or(Some(last))
        }
        // The wire has the framing, too, so the time finds the place.
        ("body" | "decoded body" | "coded body", _) => {
            let head = lines.iter().find(|line| line.mark == '<').map(|line| line.at)?;
            let at = head + Duration::from_micros(evidence.after_us);
            lines.iter().position(|line| line.is_body && line.at >= at).or(Some(last))
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
