//! The measurements of the codec: six streams, our decoder and those of others.
//!
//! `cargo bench --bench codec` measures, and `cargo xtask bench-codec` writes the report.

mod decoders;
mod measure;
mod workloads;

pub use decoders::{DECODERS, Decoder, LIMITS, Limit};
pub use measure::{decoding, encoding};
pub use workloads::{WORKLOADS, Workload};

/// The sizes of chunks, with their names. `usize::MAX` is the whole stream in one chunk.
pub const CHUNKS: [(&str, usize); 4] =
    [("64 B", 64), ("1460 B", 1460), ("16 KiB", 16 << 10), ("whole", usize::MAX)];

/// The delivered events, so that no decoder is fast because it skips some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub events: usize,
    pub data_bytes: usize,
}

impl Delivered {
    /// Counts an event, and reads everything in it that a user would read.
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

    /// A decoder that delivers less than the others must not be compared with them.
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
