//! Decompresses the content of a stream (gzip, RFC 1952) and messages of a WebSocket (RFC 7692) piece by piece.
//!
//! The readers of gzip in `flate2` each have a buffer besides their window; ten thousand clients share one
//! on the stack, so that a compressed stream needs no more memory than its window.

use std::io::{self, Read as _};

use flate2::bufread::GzDecoder;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use sseproof_load_model::{ErrorKind, LoadError};
use sseproof_units::bytes as shown;

use super::EVENT;

/// How many bytes come out at a time.
const STEP: usize = 8 << 10;
/// The longest header of gzip: a file name has no limit.
const HEADER: usize = 64 << 10;

fn broken(text: &'static str) -> LoadError {
    LoadError::new(ErrorKind::Coding, text)
}

/// Calls `each` with the bytes that come out, and returns those after the end of the compressed data,
/// if it has ended.
fn inflate<'a>(
    decompress: &mut Decompress,
    mut bytes: &'a [u8],
    mut each: impl FnMut(&[u8]) -> Result<(), LoadError>,
) -> Result<Option<&'a [u8]>, LoadError> {
    let mut out = [0; STEP];
    loop {
        let (before_in, before_out) = (decompress.total_in(), decompress.total_out());
        let status = decompress
            .decompress(bytes, &mut out, FlushDecompress::None)
            .map_err(|_| broken("the compressed data is invalid"))?;
        let taken = usize::try_from(decompress.total_in() - before_in).unwrap_or(usize::MAX);
        let given = usize::try_from(decompress.total_out() - before_out).unwrap_or(usize::MAX);
        bytes = bytes.get(taken..).unwrap_or_default();
        each(out.get(..given).unwrap_or_default())?;
        match status {
            Status::StreamEnd => return Ok(Some(bytes)),
            // It may still have some if the buffer was full.
            _ if given < STEP && bytes.is_empty() => return Ok(None),
            _ if taken == 0 && given == 0 => return Err(broken("the compressed data is invalid")),
            _ => {}
        }
    }
}

/// The content of a response, which may have several members in a row.
pub(crate) struct Gzip {
    state: State,
    decompress: Decompress,
    crc: Crc,
    /// How many bytes came out since an event ended.
    unended: usize,
}

enum State {
    Header(Vec<u8>),
    Data,
    /// The checksum and the length.
    Trailer(Vec<u8>),
}

const TRAILER: usize = 8;
/// The first bytes of a header, with the number of DEFLATE.
const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];
const NO_HEADER: &str = "gzip: the content has no valid header of it";

impl Default for Gzip {
    fn default() -> Self {
        Self {
            state: State::Header(Vec::new()),
            decompress: Decompress::new(false),
            crc: Crc::new(),
            unended: 0,
        }
    }
}

impl Gzip {
    /// Decompresses bytes; `each` says whether an event ended, or none is under way.
    ///
    /// # Errors
    /// If it is not gzip, or an event becomes too large.
    pub(crate) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), LoadError> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Header(kept) => {
                    let before = kept.len();
                    kept.extend_from_slice(bytes);
                    let Some(length) = header(kept)? else { return Ok(()) };
                    bytes = bytes.get(length - before..).unwrap_or_default();
                    self.state = State::Data;
                }
                State::Data => {
                    let (crc, unended) = (&mut self.crc, &mut self.unended);
                    let rest = inflate(&mut self.decompress, bytes, |out| {
                        crc.update(out);
                        *unended = if each(out) { 0 } else { *unended + out.len() };
                        let is_endless = *unended > EVENT;
                        if is_endless { Err(too_large("a line or an event")) } else { Ok(()) }
                    })?;
                    let Some(rest) = rest else { return Ok(()) };
                    bytes = rest;
                    self.state = State::Trailer(Vec::new());
                }
                State::Trailer(kept) => {
                    let (some, rest) = bytes.split_at(bytes.len().min(TRAILER - kept.len()));
                    kept.extend_from_slice(some);
                    bytes = rest;
                    if kept.len() == TRAILER {
                        let right = [self.crc.sum(), self.crc.amount()].map(u32::to_le_bytes);
                        if *kept != right.concat() {
                            return Err(broken("gzip: the checksum is wrong"));
                        }
                        self.state = State::Header(Vec::new());
                        self.decompress.reset(false);
                        self.crc.reset();
                    }
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// If the content ends here, and the compressed data does not.
    pub(crate) fn end(&self) -> Result<(), LoadError> {
        match &self.state {
            State::Header(kept) if kept.is_empty() => Ok(()),
            _ => {
                let text = "gzip: the content ends before the compressed data";
                Err(LoadError::new(ErrorKind::Truncated, text))
            }
        }
    }
}

fn too_large(what: &str) -> LoadError {
    let text = format!("{what} of more than {} when decompressed", shown(EVENT as u64));
    LoadError::new(ErrorKind::Coding, text)
}

/// The length of the header at the start of these bytes; `None` if it is not complete.
fn header(bytes: &[u8]) -> Result<Option<usize>, LoadError> {
    if bytes.iter().zip(MAGIC).any(|(byte, magic)| *byte != magic) {
        return Err(broken(NO_HEADER));
    }
    let mut decoder = GzDecoder::new(bytes);
    if decoder.header().is_some() {
        return Ok(Some(bytes.len() - decoder.into_inner().len()));
    }
    match decoder.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && bytes.len() < HEADER => {
            Ok(None)
        }
        _ => Err(broken(NO_HEADER)),
    }
}

/// The end of a flush, which the sender of a message leaves out, and an empty block after it: nothing
/// comes out of either, unless the message before them breaks off. One that breaks off in the description
/// of a Huffman code takes them for a part of it, and only the next message shows that.
const FLUSH: [u8; 9] = [0, 0, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF];

/// Messages of one WebSocket, each decompressed as a whole.
#[derive(Debug)]
pub(crate) struct Messages {
    decompress: Decompress,
    /// Whether a message may refer to those before it.
    keeps_context: bool,
}

impl Messages {
    pub(crate) fn new(keeps_context: bool) -> Self {
        Self { decompress: Decompress::new(false), keeps_context }
    }

    /// # Errors
    /// If the message is not valid, breaks off, or becomes too large.
    pub(crate) fn message(&mut self, payload: &[u8]) -> Result<Vec<u8>, LoadError> {
        let mut message = Vec::new();
        let end = inflate(&mut self.decompress, payload, |out| {
            message.extend_from_slice(out);
            if message.len() > EVENT { Err(too_large("a message")) } else { Ok(()) }
        })?;
        // A message may also end with a last block (RFC 7692 section 7.2.3.4).
        if end.is_none() {
            inflate(&mut self.decompress, &FLUSH, |out| match out {
                [] => Ok(()),
                _ => Err(broken("websocket: a compressed message breaks off")),
            })?;
        }
        if end.is_some() || !self.keeps_context {
            self.decompress.reset(false);
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::{DeflateEncoder, GzEncoder};
    use flate2::{Compression, GzBuilder};

    use super::*;

    fn gzip(pieces: &[&[u8]]) -> Vec<u8> {
        let level = Compression::default();
        let mut encoder = GzBuilder::new().filename("a").comment("b").write(Vec::new(), level);
        for piece in pieces {
            encoder.write_all(piece).unwrap();
            encoder.flush().unwrap();
        }
        encoder.finish().unwrap()
    }

    /// The content, and how it ends.
    fn read(bytes: &[u8], size: usize) -> (Vec<u8>, Result<(), LoadError>) {
        let (mut gzip, mut out) = (Gzip::default(), Vec::new());
        let fed = bytes.chunks(size).try_for_each(|piece| {
            gzip.feed(piece, |some| {
                out.extend_from_slice(some);
                some.contains(&b'\n')
            })
        });
        (out, fed.and_then(|()| gzip.end()))
    }

    fn kind(result: Result<(), LoadError>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn every_cut_gives_the_same_also_of_several_members() {
        let events: Vec<u8> =
            (0..900).flat_map(|n| format!("data: {n}\n\n").into_bytes()).collect();
        let bytes = [gzip(&[b"data: 1\n", b"\n"]), gzip(&[]), gzip(&[&events])].concat();
        let expected = [b"data: 1\n\n", &*events].concat();
        for size in (1..40).chain([bytes.len()]) {
            assert_eq!(read(&bytes, size), (expected.clone(), Ok(())), "in pieces of {size}");
        }
    }

    #[test]
    fn each_flush_comes_out_as_soon_as_it_is_read() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let (mut gzip, mut at) = (Gzip::default(), 0);
        for piece in ["data: one\n\n", "data: two\n\n"] {
            encoder.write_all(piece.as_bytes()).unwrap();
            encoder.flush().unwrap();
            let mut out = Vec::new();
            gzip.feed(&encoder.get_ref()[at..], |some| {
                out.extend_from_slice(some);
                true
            })
            .unwrap();
            at = encoder.get_ref().len();
            assert_eq!(out, piece.as_bytes());
        }
        assert_eq!(kind(gzip.end()), Some(ErrorKind::Truncated));
    }

    #[test]
    fn content_that_is_not_gzip_is_an_error() {
        let good = gzip(&[b"data: 1\n\n"]);
        let mut wrong_sum = good.clone();
        let last = wrong_sum.len() - 1;
        wrong_sum[last] ^= 1;
        let long_name = [&[31, 139, 8, 8, 0, 0, 0, 0, 0, 255][..], &[b'a'; HEADER]].concat();
        let no_block = [&[31, 139, 8, 0, 0, 0, 0, 0, 0, 255][..], &[7; 9]].concat();
        for bytes in [b"data: 1\n\n".to_vec(), wrong_sum, long_name, no_block] {
            for size in [1, 5, bytes.len()] {
                assert_eq!(kind(read(&bytes, size).1), Some(ErrorKind::Coding), "{bytes:x?}");
            }
        }
        for cut in 1..good.len() {
            assert_eq!(kind(read(&good[..cut], 7).1), Some(ErrorKind::Truncated), "{cut}");
        }
    }

    #[test]
    fn an_event_without_an_end_is_an_error_and_many_events_are_not() {
        let endless = gzip(&[&vec![b'x'; 2 * EVENT]]);
        let (out, end) = read(&endless, endless.len());
        assert_eq!(kind(end), Some(ErrorKind::Coding));
        assert!(out.len() <= EVENT + STEP, "{}", out.len());
        let many = gzip(&[&b"data: x\n\n".repeat(EVENT)]);
        assert_eq!(read(&many, 1000).1, Ok(()));
    }

    /// Messages as a server sends them: without the end of the flush.
    fn messages(texts: &[&[u8]], keeps_context: bool) -> Vec<Vec<u8>> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let each = texts.iter().map(|text| {
            if !keeps_context {
                encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            }
            encoder.write_all(text).unwrap();
            encoder.flush().unwrap();
            let mut message = std::mem::take(encoder.get_mut());
            assert!(message.ends_with(&FLUSH[..4]));
            message.truncate(message.len() - 4);
            message
        });
        each.collect()
    }

    #[test]
    fn messages_are_read_with_and_without_the_context_of_those_before() {
        let long: Vec<u8> = (0..90_000_u32).flat_map(u32::to_le_bytes).collect();
        let texts: [&[u8]; 4] = [b"a message", b"a message", &long, b"a message"];
        for keeps_context in [true, false] {
            let mut reader = Messages::new(keeps_context);
            let coded = messages(&texts, keeps_context);
            for (coded, text) in coded.iter().zip(texts) {
                assert!(reader.message(coded).unwrap() == text);
            }
            // With the context, the second one is a reference to the first.
            assert_eq!(coded[1].len() < coded[0].len(), keeps_context);
        }
        // "Hello" in a last block, with a byte after it.
        let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        let mut reader = Messages::new(true);
        assert_eq!(reader.message(&last).unwrap(), b"Hello");
        assert_eq!(reader.message(&last).unwrap(), b"Hello");
    }

    #[test]
    fn a_message_that_breaks_off_is_an_error_at_each_cut_at_the_latest_with_the_next() {
        let texts: [&[u8]; 3] = [b"{\"at\":1700000000,\"n\":12}", &[7; 3000], b"aaaaaaaaaabcab"];
        let mut late = 0;
        for coded in messages(&texts, false) {
            for cut in 0..coded.len() {
                let mut reader = Messages::new(true);
                let read = reader.message(&coded[..cut]);
                let is_early = read.is_err();
                let read = read.and_then(|_| reader.message(&coded));
                let kind = read.map_err(|error| error.kind());
                assert_eq!(kind, Err(ErrorKind::Coding), "{cut} of {coded:x?}");
                late += usize::from(!is_early);
            }
        }
        assert!(late < 9, "{late}");
        let endless = &messages(&[&vec![0; 2 * EVENT]], false)[0];
        let error = Messages::new(true).message(endless).unwrap_err();
        assert_eq!(error.text(), "a message of more than 1 MiB when decompressed");
        assert!(endless.len() < 4096);
    }
}
