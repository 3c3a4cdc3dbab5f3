//! The codec and the decoders of others, measured by criterion.

use sseproof_bench::{decoding, encoding};

criterion::criterion_group!(benches, decoding, encoding);
criterion::criterion_main!(benches);
