//! The measurements, in the terms of criterion.

use std::hint::black_box;

use criterion::{Criterion, SamplingMode, Throughput};
use sseproof_codec::{Frame, encode};

use crate::{CHUNKS, DECODERS, LIMITS, WORKLOADS, workloads::token};

/// Larger than the caches of one core, small enough for the shared one.
const STREAM_BYTES: usize = 4 << 20;

/// Measures every decoder with every stream in chunks of every size, and the lower bounds.
pub fn decoding(criterion: &mut Criterion) {
    for workload in &WORKLOADS {
        let stream = workload.stream(STREAM_BYTES);
        let expected = workload.expected(&stream);
        for (size_name, size) in CHUNKS {
            let size = size.min(stream.len());
            let mut group = criterion.benchmark_group(format!("{} in {size_name}", workload.name));
            group.throughput(Throughput::Bytes(stream.len() as u64));
            group.sampling_mode(SamplingMode::Flat);
            for limit in &LIMITS {
                group.bench_function(limit.name, |bench| bench.iter(|| (limit.run)(&stream, size)));
            }
            for decoder in &DECODERS {
                if decoder.skipped(&stream, size).is_some() {
                    continue;
                }
                // A decoder that leaves events out must not be compared with the others.
                let delivered = (decoder.decode)(&stream, size);
                assert_eq!(delivered, expected, "{} of {}", decoder.name, workload.name);
                group.bench_function(decoder.name, |bench| {
                    bench.iter(|| (decoder.decode)(&stream, size));
                });
            }
            group.finish();
        }
    }
}

/// Measures the encoder.
pub fn encoding(criterion: &mut Criterion) {
    let tokens: Vec<String> = (0..STREAM_BYTES / 250).map(token).collect();
    let mut written = Vec::new();
    let mut write = || {
        written.clear();
        for data in &tokens {
            let frame = Frame { data: Some(data), ..Frame::default() };
            encode(&frame, &mut written).expect("it can be written");
        }
        black_box(&written).len()
    };
    let mut group = criterion.benchmark_group("encode a");
    group.throughput(Throughput::Bytes(write() as u64));
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function("sseproof-codec", |bench| bench.iter(&mut write));
    group.bench_function("memcpy", |bench| {
        let mut copied = Vec::with_capacity(STREAM_BYTES * 2);
        bench.iter(|| {
            copied.clear();
            for data in &tokens {
                copied.extend_from_slice(data.as_bytes());
            }
            black_box(&copied).len()
        });
    });
    group.finish();
}
