//! The codec beside the decoders of others, measured the way of criterion.

use sseproof_bench::{decoding, encoding};

criterion::criterion_group!(benches, decoding, encoding);
criterion::criterion_main!(benches);
