//! Counts, in tests, the bytes that are read or copied: decoding must be linear in the input in
//! every chunking, and a clock cannot show that.
//!
//! Every search, copy and check adds the bytes that it touched.

/// This many bytes are read or copied.
#[inline(always)]
pub(crate) fn touch(_bytes: usize) {
    #[cfg(test)]
    tests::TOUCHED.with(|touched| touched.set(touched.get() + _bytes));
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::cell::Cell;
    use std::thread_local;

    use crate::lines::BOM;
    use crate::{Decoder, Limits};

    thread_local! {
        pub(super) static TOUCHED: Cell<usize> = const { Cell::new(0) };
    }

    /// How often a byte may be touched: searched for line ends, kept, checked, joined, checked
    /// again when it is lent.
    const TIMES: usize = 10;

    const SMALL: Limits = Limits { line_bytes: 1 << 10, event_bytes: 1 << 12 };

    /// How many bytes are touched during this call.
    fn touched(decode: impl FnOnce()) -> usize {
        TOUCHED.set(0);
        decode();
        TOUCHED.get()
    }

    fn feed(decoder: &mut Decoder, chunk: &[u8]) {
        let mut events = decoder.feed(chunk);
        while events.next().is_some() {}
    }

    fn streams() -> Vec<Vec<u8>> {
        let long = |name: &[u8], piece: &[u8]| [name, &piece.repeat(5_000), b"\n\n"].concat();
        [
            long(b"data: ", b"xy"),
            long(b"data: ", b"x\xFF"),
            long(b"data: ", "\u{1F600}".as_bytes()),
            long(b"id: ", b"x\0"),
            long(b"event: ", b"\xF0\x9F"),
            long(b": ", b"xy"),
            long(b"", b"xy"),
            long(b"", b"data: x\n"),
            long(b"", b"data\n"),
            long(b"data: x\n", b"retry: 1\n"),
            long(b"data: x\n", b"id: 1\r\n"),
            long(b"", b"id: 1\ndata: x\n\n"),
            long(b"", b":\n\n"),
            long(b"", b"\xEF\xBB\xBF"),
            long(b"", &[&b"data: "[..], &[b'x'; 100], b"\n\n"].concat()),
        ]
        .to_vec()
    }

    #[test]
    fn every_byte_is_touched_a_few_times_in_every_chunking() {
        for stream in streams() {
            let (kind, limit) = (stream[..20].escape_ascii(), TIMES * stream.len());
            for size in [1, 2, 3, 7, 63, 64, 65, 1460, 16 << 10, stream.len()] {
                for limits in [Limits::default(), Limits::UNLIMITED, SMALL] {
                    let mut decoder = Decoder::with_limits(limits);
                    let fed = touched(|| stream.chunks(size).for_each(|c| feed(&mut decoder, c)));
                    assert!(fed <= limit, "{fed} of {} in {size}, {kind}", stream.len());
                    assert!(fed >= stream.len() - BOM.len(), "{fed} of {} in {size}", stream.len());
                    let mut decoder = Decoder::with_limits(limits);
                    let seen =
                        touched(|| stream.chunks(size).for_each(|c| drop(decoder.inspect(c))));
                    assert!(seen <= limit, "{seen} of {} seen in {size}, {kind}", stream.len());
                }
            }
        }
    }

    /// A decoder that reads an unfinished line again with every chunk, as many do, is found.
    #[test]
    fn quadratic_decoding_is_found() {
        let stream = &streams()[0];
        let anew = touched(|| {
            for end in (0..stream.len()).step_by(64) {
                feed(&mut Decoder::new(), &stream[..end]);
            }
        });
        assert!(anew > TIMES * stream.len(), "{anew} of {}", stream.len());
    }
}
