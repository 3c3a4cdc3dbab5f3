//! From the bytes of a line to its text, and where that text is.
//!
//! A line that lies in one chunk lends its text from there. Any other text is kept by the decoder.

use alloc::string::String;
use alloc::vec::Vec;
use core::mem;
use core::ops::Range;

use crate::lines;

/// The text of a whole line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    Chunk(&'a str),
    /// It is the text that the decoder keeps, with the very bytes of the line.
    Own,
    /// It is the text that the decoder keeps, with U+FFFD in place of what is not UTF-8.
    Mended,
}

/// A part of the text of a line, which an item will borrow.
#[derive(Debug)]
pub(crate) enum Part<'a> {
    Chunk(&'a str),
    /// A range of the text that the decoder keeps.
    Own(Range<usize>),
}

impl<'a> Text<'a> {
    pub(crate) fn part(self, range: Range<usize>) -> Part<'a> {
        match self {
            Self::Chunk(text) => Part::Chunk(&text[range]),
            Self::Own | Self::Mended => Part::Own(range),
        }
    }

    pub(crate) fn whole<'t>(self, own: &'t str) -> &'t str
    where
        'a: 't,
    {
        match self {
            Self::Chunk(text) => text,
            Self::Own | Self::Mended => own,
        }
    }
}

/// Makes `bytes` the text, if they are UTF-8. The two buffers change places, so that nothing is
/// copied or allocated.
pub(crate) fn take_text(bytes: &mut Vec<u8>, text: &mut String) -> bool {
    match String::from_utf8(mem::take(bytes)) {
        Ok(taken) => {
            *bytes = mem::replace(text, taken).into_bytes();
            true
        }
        Err(error) => {
            *bytes = error.into_bytes();
            false
        }
    }
}

pub(crate) fn is_bom(line: &[u8]) -> bool {
    line.starts_with(&lines::BOM)
}

/// The first run of adjacent bytes at or behind `from` that are not UTF-8; `from` is a boundary.
pub(crate) fn invalid_run(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let mut run: Option<Range<usize>> = None;
    let mut at = from;
    for chunk in bytes[from..].utf8_chunks() {
        let valid = chunk.valid().len();
        match &mut run {
            Some(run) if valid > 0 => return Some(run.clone()),
            Some(run) => run.end = at + chunk.invalid().len(),
            None if chunk.invalid().is_empty() => return None,
            None => run = Some(at + valid..at + valid + chunk.invalid().len()),
        }
        at += valid + chunk.invalid().len();
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_bad_bytes_are_one_run() {
        let bytes = b"a\xFF\xE2\x82b\x80";
        assert_eq!(invalid_run(bytes, 0), Some(1..4));
        assert_eq!(invalid_run(bytes, 4), Some(5..6));
        assert_eq!(invalid_run(bytes, 6), None);
    }
}
