//! What the codec is measured with: six streams, and the decoders of others beside ours.
//!
//! `cargo bench --bench codec` measures them, and `cargo xtask bench-codec` makes the report.

mod decoders;
mod measure;
mod workloads;

pub use decoders::{DECODERS, Decoder, LIMITS, Limit};
pub use measure::{decoding, encoding};
pub use workloads::{WORKLOADS, Workload};

/// The sizes of chunks, with their names. `usize::MAX` is the whole stream in one chunk.
pub const CHUNKS: [(&str, usize); 4] =
    [("64 B", 64), ("1460 B", 1460), ("16 KiB", 16 << 10), ("whole", usize::MAX)];

/// What a decoder has delivered, so that none is fast because it leaves something out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// How many events.
    pub events: usize,
    /// How many bytes of data they had.
    pub data_bytes: usize,
}

impl Delivered {
    /// Takes an event with everything that a user would look at.
    #[inline(always)]
    fn take(&mut self, event_type: &str, data: &str, id: &str) {
        std::hint::black_box((event_type, data, id));
        self.events += 1;
        self.data_bytes += data.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A decoder that delivers less than the others would be compared to them all the same.
    #[test]
    fn everybody_delivers_the_same() {
        for workload in &WORKLOADS {
            let stream = workload.stream(1 << 18);
            let expected = workload.expected(&stream);
            for (size_name, size) in CHUNKS {
                let cell = (workload.name, size_name);
                for decoder in &DECODERS {
                    if decoder.skipped(&stream, size).is_none() {
                        let delivered = (decoder.decode)(&stream, size.min(stream.len()));
                        assert_eq!(delivered, expected, "{} {cell:?}", decoder.name);
                    }
                }
            }
        }
    }
}
