//! One direction of a connection of HTTP/1 without secrets.

use std::ops::Range;

use sseproof_http::http1::{Part, Progress, Reader};

use super::Secrets;
use super::body::{self, Stuck};
use super::edits::{Edit, edited, replaced};
use crate::Chunk;
use crate::transcript::joined;
use sseproof_http::{Header, Headers};

#[derive(Default)]
struct Message {
    heads: Range<usize>,
    headers: Headers,
    pieces: Vec<Range<usize>>,
    is_flawed: bool,
    is_open: bool,
}

/// The chunks, one for each, which may be empty.
pub(super) fn redacted(
    secrets: &Secrets,
    chunks: &[Chunk],
    reader: Reader,
) -> Result<Vec<Chunk>, Stuck> {
    let wire = joined(chunks);
    let mut edits = Vec::new();
    for message in messages(chunks, reader) {
        edit(secrets, &wire, &message, &mut edits)?;
    }
    let out = edited(chunks, edits);
    // Bytes outside of headers and bodies: trailers, or bytes after the end.
    Ok(replaced(&out, &secrets.as_long(&joined(&out))))
}

fn messages(chunks: &[Chunk], mut reader: Reader) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut message = Message::default();
    let mut is_over = false;
    let mut begin = 0;
    for chunk in chunks {
        let mut input: &[u8] = &chunk.bytes;
        while let Some(part) = reader.next(&mut input) {
            let offset = begin + chunk.bytes.len() - input.len();
            match part {
                Part::Head(head) => {
                    if std::mem::take(&mut is_over) {
                        let next = Message { heads: head.begin..head.end, ..Message::default() };
                        messages.push(std::mem::replace(&mut message, next));
                    }
                    message.heads.end = head.end;
                    message.headers = head.headers;
                }
                Part::Body(piece) => message.pieces.push(offset - piece.len()..offset),
                Part::End => is_over = true,
                Part::Flaw(_) => message.is_flawed = true,
                Part::After(_) => {}
            }
        }
        begin += chunk.bytes.len();
    }
    match reader.progress() {
        // If no headers end, all bytes may be headers.
        Progress::Head | Progress::Lost if message.heads.end == 0 => message.heads.end = begin,
        Progress::Body(_) => message.is_open = true,
        _ => {}
    }
    messages.push(message);
    messages
}

fn edit(
    secrets: &Secrets,
    wire: &[u8],
    message: &Message,
    edits: &mut Vec<Edit>,
) -> Result<(), Stuck> {
    let pieces: Vec<&[u8]> = message.pieces.iter().map(|range| &wire[range.clone()]).collect();
    let body = body::redacted(secrets, &message.headers, &pieces)?;
    let growth = body.as_ref().map_or(0, |body| body::growth(&pieces, body));
    let lines = wire[message.heads.clone()].split_inclusive(|byte| *byte == b'\n');
    let head: Vec<u8> = lines.flat_map(|line| head_line(secrets, line, growth)).collect();
    if head != wire[message.heads.clone()] {
        edits.push(Edit { range: message.heads.clone(), by: head });
    }
    let Some(body) = body else { return Ok(()) };
    let is_resized = pieces.iter().zip(&body).any(|(old, new)| old.len() != new.len());
    let codings = message.headers.list("transfer-encoding");
    if !is_resized || codings.last().is_none_or(|last| last != "chunked") {
        let pieces = message.pieces.iter().cloned().zip(body);
        edits.extend(pieces.map(|(range, by)| Edit { range, by }));
        return Ok(());
    }
    if message.is_flawed {
        return Err(Stuck);
    }
    chunked(wire, message, body, edits);
    Ok(())
}

/// Each piece becomes a chunk of its own.
fn chunked(wire: &[u8], message: &Message, body: Vec<Vec<u8>>, edits: &mut Vec<Edit>) {
    let mut begin = message.heads.end;
    let count = body.len();
    for (index, (range, piece)) in message.pieces.iter().zip(body).enumerate() {
        let line_end = if index > 0 { "\r\n" } else { "" };
        // A chunk that is not whole stays one.
        let is_cut = index + 1 == count && message.is_open && wire.len() == range.end;
        let size = piece.len() + usize::from(is_cut);
        let mut by = format!("{line_end}{size:x}\r\n").into_bytes();
        by.extend(piece);
        edits.push(Edit { range: begin..range.end, by });
        begin = range.end;
    }
}

/// A header line of a message whose body grows by so many bytes.
fn head_line(secrets: &Secrets, line: &[u8], growth: i64) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let named =
        text.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let sized = named.and_then(|(name, value)| Some((name, value.trim().parse::<i64>().ok()?)));
    match sized.filter(|_| growth != 0) {
        Some((name, length)) => {
            let end = if text.ends_with("\r\n") { "\r\n" } else { "\n" };
            format!("{name}: {}{end}", length.saturating_add(growth)).into_bytes()
        }
        None => secrets.line(line),
    }
}

pub(super) fn fields(chunks: &[Chunk], mut reader: Reader, found: &mut dyn FnMut(&Header)) {
    for chunk in chunks {
        let mut input: &[u8] = &chunk.bytes;
        while let Some(part) = reader.next(&mut input) {
            if let Part::Head(head) = part {
                head.headers.0.iter().for_each(&mut *found);
            }
        }
    }
}
