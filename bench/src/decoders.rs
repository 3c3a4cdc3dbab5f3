//! The decoders, each fed with the same chunks through its own interface.

use std::convert::Infallible;
use std::hint::black_box;
use std::num::NonZeroUsize;

use bytes::{Bytes, BytesMut};
use eventsource_stream::Eventsource as _;
use futures::executor::block_on;
use futures::stream::{self, Stream, StreamExt as _};
use futures_codec::Decoder as _;
use sseproof_codec::{Item, Limits};

use crate::Delivered;

/// A decoder under measurement.
#[derive(Debug)]
pub struct Decoder {
    /// Its name, and the way it is used if there is more than one.
    pub name: &'static str,
    /// Whether it is a decoder of others.
    pub is_peer: bool,
    /// Decodes the stream in chunks of this size.
    pub decode: fn(&Bytes, usize) -> Delivered,
    /// If it needs time quadratic in a line or in the input, so that it is not measured with them.
    pub quadratic: Option<Quadratic>,
}

/// The bytes that a decoder reads again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quadratic {
    /// It searches an incomplete line from its start with every chunk.
    InLine,
    /// The same, and it moves the rest of the chunk for every event.
    InLineAndChunk,
}

/// A lower bound for the time of every decoder.
#[derive(Debug)]
pub struct Limit {
    pub name: &'static str,
    /// Runs once over every chunk of this size.
    pub run: fn(&Bytes, usize),
}

/// Our decoder in three ways, and those of others.
pub const DECODERS: [Decoder; 8] = [
    Decoder { name: "sseproof-codec", is_peer: false, decode: lent, quadratic: None },
    Decoder {
        name: "sseproof-codec, owned events",
        is_peer: false,
        decode: owned,
        quadratic: None,
    },
    Decoder {
        name: "sseproof-codec, inspecting",
        is_peer: false,
        decode: inspected,
        quadratic: None,
    },
    Decoder { name: "sse-stream", is_peer: true, decode: sse_stream, quadratic: None },
    Decoder { name: "sse-core", is_peer: true, decode: sse_core, quadratic: None },
    Decoder {
        name: "eventsrc",
        is_peer: true,
        decode: eventsrc,
        quadratic: Some(Quadratic::InLine),
    },
    Decoder {
        name: "sse-codec",
        is_peer: true,
        decode: sse_codec,
        quadratic: Some(Quadratic::InLine),
    },
    Decoder {
        name: "eventsource-stream",
        is_peer: true,
        decode: eventsource_stream,
        quadratic: Some(Quadratic::InLineAndChunk),
    },
];

/// Copying, and searching.
pub const LIMITS: [Limit; 2] =
    [Limit { name: "memcpy", run: copy }, Limit { name: "memchr of LF", run: search }];

impl Decoder {
    /// Why it is not measured with chunks of this size, if so.
    pub fn skipped(&self, stream: &[u8], chunk: usize) -> Option<&'static str> {
        let lines = stream.split(|&byte| byte == b'\n');
        let longest_line = lines.map(<[u8]>::len).max().unwrap_or_default();
        // A hundred passes over the same bytes are slow enough to show that.
        if self.quadratic.is_some() && longest_line / chunk > 100 {
            return Some("searches the incomplete line again with every chunk");
        }
        let moves = self.quadratic == Some(Quadratic::InLineAndChunk);
        (moves && chunk > 1 << 20).then_some("moves the rest of the chunk for every event")
    }
}

/// The largest line is slightly longer than 1 MiB.
const ROOM: usize = 8 << 20;

fn decoder() -> sseproof_codec::Decoder {
    sseproof_codec::Decoder::with_limits(
        Limits::UNLIMITED.with_line_bytes(ROOM).with_event_bytes(ROOM),
    )
}

fn lent(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    let mut decoder = decoder();
    for chunk in stream.chunks(size) {
        let mut events = decoder.feed(chunk);
        while let Some(event) = events.next() {
            delivered.take(&event.event_type, &event.data, &event.last_event_id);
        }
    }
    delivered
}

fn owned(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    let mut decoder = decoder();
    for chunk in stream.chunks(size) {
        let mut events = decoder.feed(chunk);
        while let Some(event) = events.next() {
            let event = event.into_owned();
            delivered.take(&event.event_type, &event.data, &event.last_event_id);
        }
    }
    delivered
}

fn inspected(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    let mut decoder = decoder();
    for chunk in stream.chunks(size) {
        let mut items = decoder.inspect(chunk);
        while let Some(item) = items.next() {
            match &item {
                Item::Event(event) => {
                    delivered.take(&event.event_type, &event.data, &event.last_event_id);
                }
                other => {
                    black_box(other);
                }
            }
        }
    }
    delivered
}

fn sse_core(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    let room = NonZeroUsize::new(ROOM).expect("not zero");
    let mut decoder = sse_core::SseDecoder::with_limit(room);
    for mut chunk in chunks(stream, size) {
        while let Some(event) = decoder.next(&mut chunk) {
            if let sse_core::SseEvent::Message(event) = event.expect("there is room") {
                let id = event.last_event_id.as_deref().unwrap_or_default();
                delivered.take(&event.event, &event.data, id);
            }
        }
    }
    delivered
}

fn sse_stream(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    block_on(async {
        let mut events = sse_stream::SseByteStream::new(source(stream, size));
        while let Some(event) = events.next().await {
            let event = event.expect("the stream is right");
            if let Some(data) = &event.data {
                let event_type = event.event.as_deref().unwrap_or_default();
                delivered.take(event_type, data, event.id.as_deref().unwrap_or_default());
            }
        }
    });
    delivered
}

fn eventsrc(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    block_on(async {
        let mut events = eventsrc::EventStream::new(source(stream, size));
        while let Some(event) = events.next().await {
            let event = event.expect("the stream is right");
            delivered.take(event.event(), event.data(), event.id());
        }
    });
    delivered
}

fn sse_codec(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    let mut decoder = sse_codec::SSECodec::default();
    let mut buffer = BytesMut::default();
    for chunk in stream.chunks(size) {
        buffer.extend_from_slice(chunk);
        while let Some(event) = decoder.decode(&mut buffer).expect("the stream is right") {
            if let sse_codec::Event::Message { id, event, data } = &event {
                delivered.take(event, data, id.as_deref().unwrap_or_default());
            }
        }
    }
    delivered
}

fn eventsource_stream(stream: &Bytes, size: usize) -> Delivered {
    let mut delivered = Delivered::default();
    block_on(async {
        let mut events = source(stream, size).eventsource();
        while let Some(event) = events.next().await {
            let event = event.expect("the stream is right");
            delivered.take(&event.event, &event.data, &event.id);
        }
    });
    delivered
}

fn copy(stream: &Bytes, size: usize) {
    let mut copied = vec![0; size.min(stream.len())];
    for chunk in stream.chunks(size) {
        copied[..chunk.len()].copy_from_slice(chunk);
        black_box(&copied);
    }
}

fn search(stream: &Bytes, size: usize) {
    for chunk in stream.chunks(size) {
        for at in memchr::memchr_iter(b'\n', chunk) {
            black_box(at);
        }
    }
}

/// The chunks as `Bytes`, without a copy.
fn chunks(stream: &Bytes, size: usize) -> impl Iterator<Item = Bytes> + Unpin + use<> {
    let stream = stream.clone();
    let starts = (0..stream.len()).step_by(size);
    starts.map(move |start| stream.slice(start..stream.len().min(start.saturating_add(size))))
}

/// The chunks as a stream.
fn source(
    stream: &Bytes,
    size: usize,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin + use<> {
    stream::iter(chunks(stream, size).map(Ok))
}
