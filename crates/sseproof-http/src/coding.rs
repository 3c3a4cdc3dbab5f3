//! Content codings, decoded piece by piece: gzip, deflate, br and zstd.
//!
//! A body is decoded as it arrives, so that each event has the time at which a client could read
//! it.
//! The output is bounded: a few bytes can stand for gigabytes.

mod stored;
mod zstd;

use std::io::{self, Read, Write};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor, DecompressorWriter};
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress, Status};
use serde::{Deserialize, Serialize};

pub use self::stored::StoredEncoder;
use self::zstd::Zstd;
use crate::Headers;

/// The most bytes that come out of one body.
pub const DECODED: usize = 16 << 20;
/// How many bytes are decoded at a time: the precision with which the place of a fault is reported.
const STEP: usize = 256;
/// The buffer of the decoder of br, in bytes.
const BUFFER: usize = 4 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip`, also several members in a row.
    Gzip,
    /// `deflate`, with the header of zlib as it should be, or without.
    Deflate,
    Brotli,
    Zstd,
}

/// The content codings that are registered and change bytes.
const REGISTERED: [&str; 9] =
    ["gzip", "deflate", "br", "zstd", "compress", "dcb", "dcz", "exi", "pack200-gzip"];

impl Coding {
    /// Whether it is the name of a content coding that changes bytes; `none`, a common one, is not.
    pub fn is_registered(name: &str) -> bool {
        REGISTERED.contains(&name.trim_start_matches("x-"))
    }

    /// The coding that the fields name; `None` if there is none, an unknown one, or one on top
    /// of another.
    pub fn of(headers: &Headers) -> Option<Self> {
        let mut codings = headers.list("content-encoding");
        codings.retain(|coding| coding != "identity");
        match codings.as_slice() {
            [one] => match one.as_str() {
                "gzip" | "x-gzip" => Some(Self::Gzip),
                "deflate" => Some(Self::Deflate),
                "br" => Some(Self::Brotli),
                "zstd" => Some(Self::Zstd),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a body in this coding ends where the coding does: after the last block, and the
    /// checksum, if there is one. A body that cannot be decoded at all does not.
    pub fn is_whole(self, body: &[u8]) -> bool {
        let reads = |from: &mut dyn Read| {
            // A body that is longer than any reader accepts does not end here.
            io::copy(&mut from.take(DECODED as u64), &mut io::sink()).is_ok()
        };
        match self {
            Self::Gzip => reads(&mut flate2::read::MultiGzDecoder::new(body)),
            Self::Deflate => inflates_to_its_end(body),
            Self::Brotli => reads(&mut Decompressor::new(body, BUFFER)),
            Self::Zstd => {
                let mut decoder = Zstd::default();
                decoder.feed(body).is_ok() && decoder.is_between_frames()
            }
        }
    }
}

fn inflates_to_its_end(body: &[u8]) -> bool {
    let mut decoder = Decompress::new(has_zlib_header(body));
    let mut out = [0; BUFFER];
    loop {
        let (taken, given) = (decoder.total_in(), decoder.total_out());
        let rest = usize::try_from(taken).ok().and_then(|taken| body.get(taken..));
        let done = decoder.decompress(rest.unwrap_or_default(), &mut out, FlushDecompress::None);
        match done {
            Ok(Status::StreamEnd) => return true,
            Ok(_) if (decoder.total_in(), decoder.total_out()) != (taken, given) => {}
            _ => return false,
        }
    }
}

/// RFC 1950, section 2.2: the method is 8, and both bytes are a multiple of 31.
fn has_zlib_header(body: &[u8]) -> bool {
    let &[first, second, ..] = body else { return false };
    first & 0x0F == 8 && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31)
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodingFault {
    /// How many bytes of the coded body could be decoded before, with a precision of a few hundred
    /// bytes.
    pub at: u64,
    /// The error, as a fragment of a sentence.
    pub message: String,
    /// Whether nothing is wrong but that too much comes out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_much: bool,
}

pub struct ContentDecoder {
    decoder: Decoder,
    taken: u64,
    fault: Option<CodingFault>,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Sink>>),
    /// Deflate of which too little is known to say whether it has a header.
    Begun(Vec<u8>),
    Zlib(Box<ZlibDecoder<Sink>>),
    Deflate(Box<DeflateDecoder<Sink>>),
    Brotli(Box<DecompressorWriter<Sink>>),
    Zstd(Box<Zstd>),
}

#[derive(Default)]
struct Sink {
    out: Vec<u8>,
    /// How much came out in all.
    total: usize,
}

/// The messages of what gives too much, or costs too much.
const TOO_MUCH: &str = "it decodes to more than 16 MiB";
const TOO_MUCH_WORK: &str = "it takes too much time to decode";

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.total += bytes.len();
        if self.total > DECODED {
            return Err(io::Error::other(TOO_MUCH));
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ContentDecoder {
    /// A body of which nothing came yet.
    pub fn new(coding: Coding) -> Self {
        let sink = Sink::default();
        let decoder = match coding {
            Coding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(sink))),
            Coding::Deflate => Decoder::Begun(Vec::new()),
            Coding::Brotli => {
                let mut decoder = DecompressorWriter::new(sink, BUFFER);
                // `br` of HTTP has no windows of up to 1 GiB.
                decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
                Decoder::Brotli(Box::new(decoder))
            }
            Coding::Zstd => Decoder::Zstd(Box::default()),
        };
        Self { decoder, taken: 0, fault: None }
    }

    /// Takes the next piece, and returns the bytes that can be decoded so far; nothing after a
    /// fault.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for step in bytes.chunks(STEP) {
            if self.fault.is_some() {
                break;
            }
            let done = self.decoder.step(step);
            out.append(&mut self.decoder.given());
            match done {
                Ok(()) => self.taken += step.len() as u64,
                Err(error) => self.fail(&error),
            }
        }
        out
    }

    /// Gives what is left when nothing more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        if let (Decoder::Zstd(decoder), None) = (&mut self.decoder, &self.fault)
            && let Err(error) = decoder.catch_up()
        {
            self.fail(&error);
        }
        self.decoder.given()
    }

    /// Why nothing more comes out.
    pub fn fault(&self) -> Option<&CodingFault> {
        self.fault.as_ref()
    }

    fn fail(&mut self, error: &io::Error) {
        let message = error.to_string();
        let too_much = [TOO_MUCH, TOO_MUCH_WORK].contains(&&*message);
        self.fault = Some(CodingFault { at: self.taken, message, too_much });
    }
}

impl Decoder {
    fn step(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => write(&mut **decoder, bytes),
            Self::Zlib(decoder) => write(&mut **decoder, bytes),
            Self::Deflate(decoder) => write(&mut **decoder, bytes),
            Self::Brotli(decoder) => {
                write(&mut **decoder, bytes)?;
                // Bytes that did not fit into its buffer stay inside until the next call.
                loop {
                    let given = decoder.get_ref().out.len();
                    decoder.write(&[]).map(drop)?;
                    if decoder.get_ref().out.len() == given {
                        return Ok(());
                    }
                }
            }
            Self::Zstd(decoder) => decoder.feed(bytes),
            Self::Begun(begun) => {
                begun.extend_from_slice(bytes);
                if begun.len() < 2 {
                    return Ok(());
                }
                let begun = std::mem::take(begun);
                *self = if has_zlib_header(&begun) {
                    Self::Zlib(Box::new(ZlibDecoder::new(Sink::default())))
                } else {
                    Self::Deflate(Box::new(DeflateDecoder::new(Sink::default())))
                };
                self.step(&begun)
            }
        }
    }

    fn given(&mut self) -> Vec<u8> {
        let out = match self {
            Self::Gzip(decoder) => &mut decoder.get_mut().out,
            Self::Zlib(decoder) => &mut decoder.get_mut().out,
            Self::Deflate(decoder) => &mut decoder.get_mut().out,
            Self::Brotli(decoder) => &mut decoder.get_mut().out,
            Self::Zstd(decoder) => &mut decoder.out,
            Self::Begun(_) => return Vec::new(),
        };
        std::mem::take(out)
    }
}

/// Writes it all, and gets out what can be read by now.
fn write(decoder: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = decoder.write(bytes)?;
        if taken == 0 {
            return Err(io::Error::other("there are more bytes after its end"));
        }
        bytes = &bytes[taken..];
    }
    decoder.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    const EVENTS: [&str; 3] = ["data: one\n\n", "data: one and two\n\n", "id: 3\ndata: one\n\n"];
    /// As the brotli of Node.js encodes them (`BROTLI_OPERATION_FLUSH` after each).
    const BR: [&[u8]; 4] = include!("coding/br.in");
    /// As libzstd encodes them (`ZSTD_e_flush` after each), with a checksum.
    const ZSTD: [&[u8]; 4] = include!("coding/zstd.in");

    fn flushed<E: Write>(mut encoder: E, out: impl Fn(&mut E) -> Vec<u8>) -> Vec<Vec<u8>> {
        let piece = |event: &&str| {
            encoder.write_all(event.as_bytes()).unwrap();
            encoder.flush().unwrap();
            out(&mut encoder)
        };
        EVENTS.iter().map(piece).collect()
    }

    fn taken(out: &mut Vec<u8>) -> Vec<u8> {
        std::mem::take(out)
    }

    fn pieces() -> Vec<(Coding, Vec<Vec<u8>>)> {
        let level = Compression::default();
        let owned = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.to_vec()).collect();
        vec![
            (Coding::Gzip, flushed(GzEncoder::new(Vec::new(), level), |gz| taken(gz.get_mut()))),
            (
                Coding::Deflate,
                flushed(ZlibEncoder::new(Vec::new(), level), |zlib| taken(zlib.get_mut())),
            ),
            (
                Coding::Deflate,
                flushed(DeflateEncoder::new(Vec::new(), level), |raw| taken(raw.get_mut())),
            ),
            (Coding::Brotli, owned(&BR)),
            (Coding::Zstd, owned(&ZSTD)),
        ]
    }

    #[test]
    fn each_event_is_there_as_soon_as_it_was_flushed() {
        for (coding, pieces) in pieces() {
            let mut decoder = ContentDecoder::new(coding);
            for (piece, event) in pieces.iter().zip(EVENTS) {
                let out = decoder.feed(piece);
                assert_eq!(String::from_utf8_lossy(&out), event, "{coding:?}");
            }
            for rest in &pieces[EVENTS.len()..] {
                assert_eq!(decoder.feed(rest), b"", "{coding:?}");
            }
            assert_eq!((decoder.finish(), decoder.fault()), (Vec::new(), None), "{coding:?}");
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same() {
        for (coding, pieces) in pieces() {
            let whole = pieces.concat();
            for size in 1..=whole.len() {
                let mut decoder = ContentDecoder::new(coding);
                let out: Vec<u8> =
                    whole.chunks(size).flat_map(|piece| decoder.feed(piece)).collect();
                assert_eq!(out, EVENTS.concat().as_bytes(), "{coding:?} by {size}");
                assert_eq!(decoder.fault(), None);
            }
        }
    }

    #[test]
    fn files_and_frames_may_follow_each_other() {
        for (coding, pieces) in pieces() {
            let whole = match coding {
                Coding::Gzip => {
                    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                    encoder.write_all(EVENTS.concat().as_bytes()).unwrap();
                    encoder.finish().unwrap()
                }
                Coding::Zstd => {
                    let passed_over = b"\x53\x2A\x4D\x18\x02\0\0\0ab";
                    [&pieces.concat()[..], passed_over].concat()
                }
                _ => continue,
            };
            let mut decoder = ContentDecoder::new(coding);
            let out = decoder.feed(&whole.repeat(2));
            assert_eq!(out, EVENTS.concat().repeat(2).as_bytes(), "{coding:?}");
            assert_eq!(decoder.fault(), None);
        }
    }

    #[test]
    fn what_is_broken_says_where_and_gives_no_more() {
        for (coding, pieces) in pieces() {
            let mut decoder = ContentDecoder::new(coding);
            assert_eq!(decoder.feed(&pieces[0]), EVENTS[0].as_bytes());
            decoder.feed(&[0xFF; 600]);
            let fault = decoder.fault().expect("a fault").clone();
            assert!(!fault.too_much && fault.at >= pieces[0].len() as u64, "{coding:?} {fault:?}");
            assert_eq!(decoder.feed(&pieces[1]), b"");
        }
        let mut plain = ContentDecoder::new(Coding::Gzip);
        plain.feed(b"data: this is not gzip\n\n");
        assert_eq!(plain.fault().map(|fault| fault.at), Some(0));
    }

    #[test]
    fn nothing_that_comes_breaks_the_reader() {
        for (coding, pieces) in pieces() {
            let whole = pieces.concat();
            for at in 0..whole.len() {
                let mut broken = whole.clone();
                broken[at] ^= 0x55;
                let mut decoder = ContentDecoder::new(coding);
                decoder.feed(&broken);
                decoder.finish();
            }
        }
    }

    /// `data: `, 100,000 times `a`, and a blank line, encoded and flushed in the same way.
    const LONG_BR: [u8; 23] = [
        0xAB, 0x53, 0xC3, 0x80, 0x5F, 0x5A, 0x01, 0x44, 0x27, 0x4C, 0x0A, 0x22, 0xC9, 0x67, 0x85,
        0x80, 0x05, 0x9E, 0xE5, 0x17, 0x90, 0x0B, 0x0C,
    ];

    #[test]
    fn an_event_that_becomes_much_longer_is_there_at_once() {
        let whole = ContentDecoder::new(Coding::Brotli).feed(&LONG_BR);
        assert_eq!(whole.len(), 100_008);
        assert!(whole.ends_with(b"a\n\n"));
        for size in [1, 2, 5, 22] {
            let mut decoder = ContentDecoder::new(Coding::Brotli);
            let pieces = LONG_BR.chunks(size).flat_map(|piece| decoder.feed(piece));
            assert_eq!(pieces.collect::<Vec<_>>(), whole, "{size}");
        }
    }

    fn written<E: Write>(mut encoder: E) -> E {
        encoder.write_all(EVENTS.concat().as_bytes()).unwrap();
        encoder
    }

    #[test]
    fn what_ends_in_the_middle_is_not_whole() {
        let level = Compression::default();
        let gzip = written(GzEncoder::new(Vec::new(), level)).finish().unwrap();
        let zlib = written(ZlibEncoder::new(Vec::new(), level)).finish().unwrap();
        let raw = written(DeflateEncoder::new(Vec::new(), level)).finish().unwrap();
        let wholes = [
            (Coding::Gzip, gzip),
            (Coding::Deflate, zlib),
            (Coding::Deflate, raw),
            (Coding::Brotli, BR.concat()),
            (Coding::Zstd, ZSTD.concat()),
        ];
        for (coding, whole) in wholes {
            assert!(coding.is_whole(&whole), "{coding:?}");
            for length in 0..whole.len() {
                assert!(!coding.is_whole(&whole[..length]), "{coding:?} {length}");
            }
        }
        for (coding, pieces) in pieces() {
            // Flushed, and not ended.
            assert!(!coding.is_whole(&pieces[..EVENTS.len()].concat()), "{coding:?}");
        }
        assert!(!Coding::Gzip.is_whole(b"data: this is not gzip\n\n"));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..DECODED / (1 << 20) + 1 {
            gzip.write_all(&[0; 1 << 20]).unwrap();
        }
        let gzip = gzip.finish().unwrap();
        // Blocks of one byte and the number of its copies: 128 KiB each.
        let mut zstd = vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x68];
        zstd.extend([[2, 0, 0x10, 0]; 200].concat());
        let empty_blocks = [&zstd[..6], &[0; 3 << 20]].concat();
        for (coding, bomb) in
            [(Coding::Gzip, gzip), (Coding::Zstd, zstd), (Coding::Zstd, empty_blocks)]
        {
            let mut decoder = ContentDecoder::new(coding);
            let out = decoder.feed(&bomb);
            assert!(out.len() <= DECODED, "{coding:?}: {}", out.len());
            assert!(decoder.fault().is_some_and(|fault| fault.too_much), "{coding:?}");
        }
    }

    #[test]
    fn the_head_names_the_coding() {
        let of = |value: &str| Coding::of(&[("Content-Encoding", value)].into_iter().collect());
        assert_eq!(of("GZIP"), Some(Coding::Gzip));
        assert_eq!(of("identity, br"), Some(Coding::Brotli));
        assert_eq!((of("gzip, br"), of("compress"), of("")), (None, None, None));
    }
}
