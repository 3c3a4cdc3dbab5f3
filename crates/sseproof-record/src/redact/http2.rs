//! One direction of a connection of HTTP/2 without secrets.
//!
//! A value in a block of fields may be Huffman coded, stand in a table, or be cut by frames. So if
//! one field has a secret, every block of that direction is written anew, in the form that needs no
//! table on either side.

use std::collections::BTreeMap;
use std::ops::Range;

use sseproof_http::http2::{
    FRAME_HEAD, Fields, Frame, MAX_FRAME, PREFACE, flag, kind, write_field, write_fields,
    write_frame,
};

use super::Secrets;
use super::body::{self, Stuck};
use super::edits::{Edit, edited, replaced};
use crate::Chunk;
use crate::transcript::joined;
use sseproof_http::{Header, Headers};

struct Block {
    stream: u32,
    promised: Option<u32>,
    ends: bool,
    frames: Vec<Range<usize>>,
    fields: Headers,
}

#[derive(Default)]
struct Body {
    frames: Vec<Data>,
}

struct Data {
    frame: Range<usize>,
    content: Range<usize>,
    ends: bool,
    is_whole: bool,
}

/// The frames of one direction that may hold secrets.
#[derive(Default)]
struct Frames {
    blocks: Vec<Block>,
    bodies: BTreeMap<u32, Body>,
    /// Parts of blocks that are not whole: no reader can decode them.
    torn: Vec<Range<usize>>,
}

/// The chunks, one for each, which may be empty.
pub(super) fn redacted(secrets: &Secrets, chunks: &[Chunk]) -> Result<Vec<Chunk>, Stuck> {
    let wire = joined(chunks);
    let Frames { mut blocks, bodies, torn } = frames(&wire).ok_or(Stuck)?;
    let mut edits: Vec<Edit> =
        torn.into_iter().map(|range| Edit { range, by: Vec::new() }).collect();
    let mut is_changed = false;
    for (stream, body) in bodies {
        let head = blocks.iter_mut().rev().find(|block| {
            let status = block.fields.first(":status").unwrap_or_default();
            block.stream == stream && block.promised.is_none() && is_head(&block.fields, &status)
        });
        is_changed |= body_edits(secrets, &wire, stream, &body, head, &mut edits)?;
    }
    for block in &mut blocks {
        let before = block.fields.clone();
        secrets.headers(&mut block.fields);
        is_changed |= before != block.fields;
    }
    if is_changed {
        blocks.iter().try_for_each(|block| write_block(block, &mut edits))?;
    }
    let out = edited(chunks, edits);
    // Other frames with plain text, as GOAWAY may have.
    Ok(replaced(&out, &secrets.as_long(&joined(&out))))
}

/// Whether the block begins a message: a request, or a response that is not an interim one.
fn is_head(fields: &Headers, status: &str) -> bool {
    fields.has(":method") || (status.len() == 3 && !status.starts_with('1'))
}

fn frames(wire: &[u8]) -> Option<Frames> {
    let mut out = Frames::default();
    let mut fields = Fields::default();
    let mut open: Option<(Block, Vec<u8>)> = None;
    let mut at = if wire.starts_with(PREFACE) { PREFACE.len() } else { 0 };
    while let Some(frame) = Frame::read(&wire[at..]) {
        let range = at..at + frame.length();
        at = range.end;
        match frame.kind {
            kind::DATA => {
                let content = frame.content()?;
                let begin = range.start + FRAME_HEAD + usize::from(frame.has(flag::PADDED));
                let content = begin..begin + content.len();
                let data =
                    Data { frame: range, content, ends: frame.ends_stream(), is_whole: true };
                out.bodies.entry(frame.stream).or_default().frames.push(data);
                continue;
            }
            kind::HEADERS | kind::PUSH_PROMISE => {
                let is_promise = frame.kind == kind::PUSH_PROMISE;
                let promised_at = usize::from(frame.has(flag::PADDED));
                let block = Block {
                    stream: frame.stream,
                    promised: is_promise.then(|| frame.number(promised_at).unwrap_or(0)),
                    ends: frame.ends_stream(),
                    frames: vec![range],
                    fields: Headers::default(),
                };
                open = Some((block, frame.content()?.to_vec()));
            }
            kind::CONTINUATION => {
                let (block, bytes) = open.as_mut()?;
                block.frames.push(range);
                bytes.extend_from_slice(frame.payload);
            }
            _ => continue,
        }
        if frame.has(flag::END_HEADERS) {
            let (mut block, bytes) = open.take()?;
            block.fields = fields.read(&bytes).ok()?;
            out.blocks.push(block);
        }
    }
    out.torn.extend(open.into_iter().flat_map(|(block, _)| block.frames));
    rest(wire, at, &mut out);
    Some(out)
}

/// The beginning of a frame whose rest was not recorded.
fn rest(wire: &[u8], at: usize, out: &mut Frames) {
    let Some(&kind) = wire.get(at + 3) else { return };
    let head = wire.get(at..at + FRAME_HEAD);
    match (kind, head) {
        (kind::HEADERS | kind::PUSH_PROMISE | kind::CONTINUATION, _) => {
            out.torn.push(at..wire.len());
        }
        (kind::DATA, Some(head)) if head[4] & flag::PADDED == 0 => {
            let stream = u32::from_be_bytes([head[5] & 0x7F, head[6], head[7], head[8]]);
            let content = at + FRAME_HEAD..wire.len();
            let data = Data { frame: at..wire.len(), content, ends: false, is_whole: false };
            out.bodies.entry(stream).or_default().frames.push(data);
        }
        _ => {}
    }
}

/// Whether a Content-Length had to change.
fn body_edits(
    secrets: &Secrets,
    wire: &[u8],
    stream: u32,
    body: &Body,
    head: Option<&mut Block>,
    edits: &mut Vec<Edit>,
) -> Result<bool, Stuck> {
    let none = Headers::default();
    let headers = head.as_ref().map_or(&none, |block| &block.fields);
    let pieces: Vec<&[u8]> = body.frames.iter().map(|data| &wire[data.content.clone()]).collect();
    let Some(new) = body::redacted(secrets, headers, &pieces)? else { return Ok(false) };
    let growth = body::growth(&pieces, &new);
    for (data, by) in body.frames.iter().zip(new) {
        if by.len() == data.content.len() {
            edits.push(Edit { range: data.content.clone(), by });
            continue;
        }
        if !data.is_whole {
            return Err(Stuck);
        }
        let mut frames = Vec::new();
        let mut parts = by.chunks(MAX_FRAME).peekable();
        while let Some(part) = parts.next() {
            let ends = data.ends && parts.peek().is_none();
            let flags = if ends { flag::END_STREAM } else { 0 };
            write_frame(&mut frames, kind::DATA, flags, stream, part);
        }
        edits.push(Edit { range: data.frame.clone(), by: frames });
    }
    let length = headers.first("content-length").and_then(|length| length.parse::<i64>().ok());
    match (head, length) {
        (Some(block), Some(length)) if growth != 0 => {
            block.fields.set("content-length", length.saturating_add(growth).to_string());
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn write_block(block: &Block, edits: &mut Vec<Edit>) -> Result<(), Stuck> {
    let mut fields = Vec::new();
    for field in &block.fields.0 {
        write_field(&mut fields, field.name.as_bytes(), &field.value);
    }
    let mut by = Vec::new();
    match block.promised {
        None => write_fields(&mut by, block.stream, block.ends, &fields),
        Some(promised) => {
            let payload = [&promised.to_be_bytes()[..], &fields].concat();
            if payload.len() > MAX_FRAME {
                return Err(Stuck);
            }
            write_frame(&mut by, kind::PUSH_PROMISE, flag::END_HEADERS, block.stream, &payload);
        }
    }
    let Some((last, others)) = block.frames.split_last() else { return Ok(()) };
    edits.extend(others.iter().cloned().map(|range| Edit { range, by: Vec::new() }));
    edits.push(Edit { range: last.clone(), by });
    Ok(())
}

pub(super) fn fields(chunks: &[Chunk], found: &mut dyn FnMut(&Header)) {
    let Some(Frames { blocks, .. }) = frames(&joined(chunks)) else { return };
    blocks.iter().flat_map(|block| &block.fields.0).for_each(found);
}
