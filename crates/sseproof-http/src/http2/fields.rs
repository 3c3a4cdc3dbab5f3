//! Fields of HTTP/2 from a block of HPACK (RFC 7541).
//!
//! The library that keeps the tables panics on an integer that is too long, and builds its Huffman
//! table anew for each string. So a block is read here first: its integers are bounded, its size
//! updates are those that RFC 7541 permits, and the library gets each string as plain bytes.

use fluke_hpack::Decoder;
use fluke_hpack::huffman::HuffmanDecoder;

use crate::{Bytes, Header, Headers};

/// The most bytes of the table of a decoder: the default of SETTINGS_HEADER_TABLE_SIZE (RFC 9113,
/// section 6.5.2), which no client here changes.
pub const TABLE: usize = 4_096;
/// The most bytes that the fields of one block may have when decoded.
pub const UNPACKED: usize = 1 << 20;
/// The most fields of one block.
pub const FIELDS: usize = 1_000;
/// The most bytes of an integer (RFC 7541, section 5.1: an implementation has to set limits).
const INTEGER: usize = 5;

/// Reads the fields of one direction of a connection: each block depends on those before.
pub struct Fields {
    decoder: Decoder<'static>,
    /// Made for the first string that needs it.
    huffman: Option<Box<HuffmanDecoder>>,
}

impl Default for Fields {
    fn default() -> Self {
        let mut decoder = Decoder::new();
        decoder.set_max_allowed_table_size(TABLE);
        Self { decoder, huffman: None }
    }
}

impl Fields {
    /// The fields of a whole block, pseudo-fields (`:status`) and all.
    ///
    /// # Errors
    /// The error ends the connection, since the tables of both ends differ.
    pub fn read(&mut self, block: &[u8]) -> Result<Headers, String> {
        let plain = self.plain(block).map_err(|wrong| {
            format!("its fields cannot be decoded (HPACK, COMPRESSION_ERROR): {wrong}")
        })?;
        let mut headers = Headers::default();
        let mut bytes = 0;
        self.decoder
            .decode_with_cb(&plain, |name, value| {
                bytes += name.len() + value.len();
                // A byte can stand for kilobytes: the rest is dropped, and reported below.
                if bytes <= UNPACKED {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    headers.0.push(Header { name, value: Bytes::from(&*value) });
                }
            })
            .map_err(|error| {
                format!("its fields cannot be decoded (HPACK, COMPRESSION_ERROR): {error:?}")
            })?;
        if bytes > UNPACKED {
            return Err(format!("its fields have {bytes} bytes when decoded"));
        }
        Ok(headers)
    }

    /// The same block without Huffman codes.
    fn plain(&mut self, block: &[u8]) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(block.len());
        let mut rest = block;
        let mut fields = 0;
        while let Some(&first) = rest.first() {
            // RFC 7541, section 6: the first bits say what follows, and how long its integer is.
            let (prefix, strings) = match first.leading_zeros() {
                0 => (7, false),
                1 => (6, true),
                2 => (5, false),
                _ => (4, true),
            };
            let is_update = prefix == 5;
            let (number, bytes) = integer(&mut rest, prefix)?;
            out.extend_from_slice(bytes);
            if is_update {
                // RFC 7541, sections 4.2 and 6.3.
                if fields > 0 {
                    return Err("a size update of its table after a field".to_owned());
                }
                if number > TABLE {
                    return Err(format!(
                        "a size update of its table to {number} bytes; at most {TABLE} are allowed"
                    ));
                }
                continue;
            }
            fields += 1;
            if fields > FIELDS {
                return Err(format!("it has more than {FIELDS} fields"));
            }
            if strings && number == 0 {
                self.string(&mut rest, &mut out)?;
            }
            if strings {
                self.string(&mut rest, &mut out)?;
            }
        }
        Ok(out)
    }

    /// RFC 7541, section 5.2.
    fn string(&mut self, rest: &mut &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let is_coded = rest.first().is_some_and(|first| first & 0x80 != 0);
        let (length, _) = integer(rest, 7)?;
        let (text, after) = rest.split_at_checked(length).ok_or_else(cut)?;
        *rest = after;
        if !is_coded {
            super::write_string(out, text);
            return Ok(());
        }
        let huffman = self.huffman.get_or_insert_with(|| Box::new(HuffmanDecoder::new()));
        let text = huffman.decode(text).map_err(|error| format!("a Huffman code: {error:?}"))?;
        super::write_string(out, &text);
        Ok(())
    }
}

/// An integer after the prefix of that many bits, and its bytes (RFC 7541, section 5.1).
fn integer<'b>(rest: &mut &'b [u8], prefix: u32) -> Result<(usize, &'b [u8]), String> {
    let all = *rest;
    let mask = (1_usize << prefix) - 1;
    let mut number = usize::from(*all.first().ok_or_else(cut)?) & mask;
    let mut length = 1;
    if number == mask {
        loop {
            if length == INTEGER {
                return Err(format!("an integer of more than {INTEGER} bytes"));
            }
            let byte = *all.get(length).ok_or_else(cut)?;
            number += usize::from(byte & 0x7F) << (7 * (length - 1));
            length += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let (bytes, after) = all.split_at(length);
    *rest = after;
    Ok((number, bytes))
}

fn cut() -> String {
    "it ends in the middle of a field".to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::write_field;
    use super::*;

    #[test]
    fn a_bomb_is_refused_and_nonsense_is_no_panic() {
        // A large field into the table, and then a byte for each of its copies.
        let mut block = vec![0x40, 1, b'x', 0x7F, 0xA1, 0x1E];
        block.extend_from_slice(&[b'y'; 4_000]);
        block.extend_from_slice(&[0xBE; 900]);
        assert!(Fields::default().read(&block).is_err());
        for byte in 0..=255 {
            let _ = Fields::default().read(&[byte; 64]);
        }
    }

    #[test]
    fn a_size_update_is_bounded_and_comes_first() {
        let read = |block: &[u8]| Fields::default().read(block);
        // To 4,096, and then `:status: 200`.
        assert_eq!(read(b"\x3F\xE1\x1F\x88").map(|fields| fields.0.len()), Ok(1));
        for wrong in [
            &b"\x3F\xE2\x1F\x88"[..],
            b"\x3F\xFF\xFF\xFF\xFF\xFF\xFF\x0F\x88",
            b"\x3F\xFF\xFF\xFF\xFF\x0F\x88",
            b"\x3F",
            b"\x3F\xFF",
            b"\x88\x3F\xE1\x1F\x88",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("COMPRESSION_ERROR"), "{wrong:x?}: {error}");
        }
    }

    #[test]
    fn fields_and_huffman_codes_are_bounded_in_time() {
        // RFC 7541, appendix C.6.1: `302`.
        let field = b"\x08\x82\x64\x02";
        let fields = Fields::default().read(&field.repeat(FIELDS)).unwrap();
        assert_eq!((fields.0.len(), fields.first(":status").as_deref()), (FIELDS, Some("302")));
        assert!(Fields::default().read(&field.repeat(FIELDS + 1)).is_err());
    }

    fn blocks() -> impl Strategy<Value = Vec<u8>> {
        let field = (any::<Vec<u8>>(), any::<Vec<u8>>()).prop_map(|(name, value)| {
            let mut block = Vec::new();
            write_field(&mut block, &name, &value);
            block
        });
        // Begins of all kinds, with integers at their bounds.
        let begin = (any::<u8>(), 0..8_usize, any::<u8>()).prop_map(|(first, more, last)| {
            [&[first | 0x1F][..], &[0xFF].repeat(more), &[last]].concat()
        });
        let piece = prop_oneof![field, begin, any::<Vec<u8>>()];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn random_blocks_never_panic(blocks in prop::collection::vec(blocks(), 1..4)) {
            let mut fields = Fields::default();
            for block in &blocks {
                let read = fields.read(block);
                prop_assert!(read.is_err_and(|error| !error.is_empty()) || block.len() < 1 << 20);
            }
        }

        #[test]
        fn fields_are_read_as_they_are_written(
            all in prop::collection::vec((any::<String>(), any::<Vec<u8>>()), 0..9),
        ) {
            let mut block = Vec::new();
            for (name, value) in &all {
                write_field(&mut block, name.as_bytes(), value);
            }
            let read = Fields::default().read(&block).unwrap();
            let read: Vec<_> = read.0.into_iter().map(|one| (one.name, one.value.to_vec())).collect();
            prop_assert_eq!(read, all);
        }
    }
}
