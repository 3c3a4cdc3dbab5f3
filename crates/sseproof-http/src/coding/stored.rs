//! A body written in a content coding without compressing it, each piece readable at once.
//!
//! Each format has blocks that hold bytes as they are. Of these a body can be made whose pieces
//! decode to chosen bytes, without a compressor for each coding.

use flate2::Crc;

use super::{Coding, has_zlib_header};

/// The most bytes of a block in each of the formats.
const BLOCK: usize = 65_535;

pub struct StoredEncoder {
    coding: Coding,
    /// Whether deflate has the header of zlib.
    has_header: bool,
    is_begun: bool,
    crc: Crc,
    /// The two sums of Adler-32 (RFC 1950, section 8.2).
    adler: (u32, u32),
}

impl StoredEncoder {
    /// Writes in the coding of this body, with a header if that has one.
    pub fn like(coding: Coding, body: &[u8]) -> Self {
        let has_header = has_zlib_header(body);
        Self { coding, has_header, is_begun: false, crc: Crc::new(), adler: (1, 0) }
    }

    /// The encoding of a piece of the decoded body; never empty, also if the piece is.
    pub fn piece(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.begin();
        self.crc.update(bytes);
        for &byte in bytes {
            self.adler.0 = (self.adler.0 + u32::from(byte)) % 65_521;
            self.adler.1 = (self.adler.1 + self.adler.0) % 65_521;
        }
        if bytes.is_empty() {
            self.block(&mut out, bytes);
        }
        bytes.chunks(BLOCK).for_each(|block| self.block(&mut out, block));
        out
    }

    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = self.begin();
        match self.coding {
            Coding::Gzip => {
                out.extend_from_slice(&[1, 0, 0, 0xFF, 0xFF]);
                out.extend_from_slice(&self.crc.sum().to_le_bytes());
                out.extend_from_slice(&self.crc.amount().to_le_bytes());
            }
            Coding::Deflate => {
                out.extend_from_slice(&[1, 0, 0, 0xFF, 0xFF]);
                if self.has_header {
                    let sum = self.adler.1 << 16 | self.adler.0;
                    out.extend_from_slice(&sum.to_be_bytes());
                }
            }
            Coding::Brotli => self.brotli(&mut out, 0b11, 2),
            Coding::Zstd => out.extend_from_slice(&[1, 0, 0]),
        }
        out
    }

    fn begin(&mut self) -> Vec<u8> {
        // That of brotli is a single bit, in the first byte of the first block.
        if self.coding == Coding::Brotli || std::mem::replace(&mut self.is_begun, true) {
            return Vec::new();
        }
        match self.coding {
            Coding::Gzip => vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF],
            Coding::Deflate if self.has_header => vec![0x78, 1],
            // A window of 128 KiB.
            Coding::Zstd => vec![0x28, 0xB5, 0x2F, 0xFD, 0, 0x38],
            Coding::Deflate | Coding::Brotli => Vec::new(),
        }
    }

    fn block(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        match self.coding {
            // RFC 1951, section 3.2.4.
            Coding::Gzip | Coding::Deflate => {
                out.push(0);
                out.extend_from_slice(&length.to_le_bytes());
                out.extend_from_slice(&(!length).to_le_bytes());
            }
            // RFC 7932, section 9.2: metadata of no bytes, or a meta-block that is not compressed.
            Coding::Brotli if bytes.is_empty() => self.brotli(out, 0b00_0110, 6),
            Coding::Brotli => self.brotli(out, 1 << 19 | u32::from(length - 1) << 3, 20),
            // RFC 8878, section 3.1.1.2.
            Coding::Zstd => out.extend_from_slice(&(u32::from(length) << 3).to_le_bytes()[..3]),
        }
        out.extend_from_slice(bytes);
    }

    /// Bits of brotli, the lowest first, up to the next whole byte.
    fn brotli(&mut self, out: &mut Vec<u8>, bits: u32, count: usize) {
        // A zero bit before all others stands for a window of 64 KiB.
        let begins = usize::from(!std::mem::replace(&mut self.is_begun, true));
        let bytes = (bits << begins).to_le_bytes();
        out.extend_from_slice(&bytes[..(count + begins).div_ceil(8)]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::ContentDecoder;
    use super::*;

    #[test]
    fn each_piece_decodes_to_itself_and_the_end_is_one() {
        let long = vec![b'x'; 200_000];
        let pieces: [&[u8]; 5] = [b"", b"data: one\n\n", &long, b"", b"data: two\n\n"];
        for (coding, like) in [
            (Coding::Gzip, &b""[..]),
            (Coding::Deflate, &[0x78, 0x9C]),
            (Coding::Deflate, &[0x4B, 0x49]),
            (Coding::Brotli, b""),
            (Coding::Zstd, b""),
        ] {
            let mut encoder = StoredEncoder::like(coding, like);
            let mut decoder = ContentDecoder::new(coding);
            let mut whole = Vec::new();
            for piece in pieces {
                let coded = encoder.piece(piece);
                assert!(!coded.is_empty());
                assert!(decoder.feed(&coded) == piece, "{coding:?} {like:?}");
                whole.extend(coded);
            }
            assert!(!coding.is_whole(&whole), "{coding:?}");
            whole.extend(encoder.finish());
            assert!(coding.is_whole(&whole), "{coding:?} {like:?}");
            assert_eq!((decoder.finish(), decoder.fault()), (Vec::new(), None), "{coding:?}");
        }
    }
}
