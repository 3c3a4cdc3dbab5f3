//! Changes to the bytes of one direction of a connection, which keep the time of each byte.

use std::ops::Range;

use crate::Chunk;
use crate::transcript::joined;
use sseproof_http::Bytes;

pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) by: Vec<u8>,
}

/// The chunks after these edits, which do not overlap; each has one, and it may be empty.
///
/// Bytes that are replaced by the same number keep their places. Others arrive with the last of the
/// replaced ones.
pub(super) fn edited(chunks: &[Chunk], mut edits: Vec<Edit>) -> Vec<Chunk> {
    let all = joined(chunks);
    let mut ends = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        ends.push(ends.last().unwrap_or(&0) + chunk.bytes.len());
    }
    let mut out = vec![Vec::new(); chunks.len()];
    edits.sort_by_key(|edit| edit.range.start);
    let mut at = 0;
    for Edit { range, by } in edits {
        spread(&mut out, &ends, at, &all[at..range.start]);
        if by.len() == range.len() {
            spread(&mut out, &ends, range.start, &by);
        } else if let Some(piece) = out.get_mut(place(&ends, range.end.saturating_sub(1))) {
            piece.extend(by);
        }
        at = range.end;
    }
    spread(&mut out, &ends, at, &all[at..]);
    let times = chunks.iter().map(|chunk| chunk.at);
    times.zip(out).map(|(at, bytes)| Chunk { at, bytes: bytes.into() }).collect()
}

/// The same, if every edit has the length of the replaced bytes.
pub(super) fn replaced(chunks: &[Chunk], by: &[u8]) -> Vec<Chunk> {
    let by = Bytes::from(by);
    let mut at = 0;
    chunks
        .iter()
        .map(|chunk| {
            let begin = at;
            at += chunk.bytes.len();
            Chunk { at: chunk.at, bytes: by.slice(begin..at) }
        })
        .collect()
}

/// The chunk that the byte at the offset is in.
fn place(ends: &[usize], offset: usize) -> usize {
    ends.partition_point(|&end| end <= offset)
}

fn spread(out: &mut [Vec<u8>], ends: &[usize], mut at: usize, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let chunk = place(ends, at);
        let (here, rest) = bytes.split_at(bytes.len().min(ends[chunk] - at));
        out[chunk].extend_from_slice(here);
        at += here.len();
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_keeps_its_length_keeps_its_place_and_the_rest_its_time() {
        let chunk = |at, text: &str| Chunk { at: Duration::from_secs(at), bytes: text.into() };
        let chunks = [chunk(1, "abc"), chunk(2, "def"), chunk(3, "ghi")];
        let edit = |range, by: &str| Edit { range, by: by.into() };
        let out = edited(&chunks, vec![edit(5..7, "-----"), edit(2..4, "CD")]);
        assert_eq!(out, [chunk(1, "abC"), chunk(2, "De"), chunk(3, "-----hi")]);
        assert_eq!(edited(&chunks, vec![edit(3..9, "")])[1..], [chunk(2, ""), chunk(3, "")]);
        assert_eq!(replaced(&chunks, b"123456789")[1], chunk(2, "456"));
    }
}
