//! The adapters for streams, bodies and codecs give the same events as the decoder.

use std::convert::Infallible;
use std::io;

use futures_util::{FutureExt, SinkExt, StreamExt, stream};
use http_body_util::StreamBody;
use hyper::HeaderMap;
use hyper::body::Frame;
use sseproof_codec::{EventCodec, EventStream};
use tokio_util::codec::{FramedRead, FramedWrite};

const STREAM: &[u8] = b"id: 1\ndata: a\n\ndata: b\n\n: c\n\nid: 2\ndata: \xC3\xA9\n\ndata: lost";

fn chunks(size: usize) -> impl stream::Stream<Item = Result<&'static [u8], io::Error>> + Unpin {
    stream::iter(STREAM.chunks(size).map(Ok))
}

#[test]
fn any_chunks_give_the_same_events() {
    for size in 1..=STREAM.len() {
        let mut events = EventStream::new(chunks(size));
        let mut seen = Vec::new();
        while let Some(Some(event)) = events.next().now_or_never() {
            let event = event.expect("no error");
            seen.push((event.data.into_owned(), event.last_event_id.into_owned()));
        }
        let expected = [("a", "1"), ("b", "1"), ("\u{E9}", "2")];
        assert_eq!(seen, expected.map(|(data, id)| (data.to_owned(), id.to_owned())), "{size}");
        let mut decoder = events.into_decoder();
        assert!(decoder.reconnect().is_some(), "the last block is cut");
        assert_eq!(decoder.last_event_id(), "2");
    }
}

#[test]
fn an_error_of_the_chunks_is_passed_on_after_the_events_before_it() {
    let broken = stream::iter([Ok(&b"data: a\n\ndata: b"[..]), Err(io::ErrorKind::BrokenPipe)]);
    let results: Vec<_> = EventStream::new(broken).collect().now_or_never().expect("it is over");
    assert!(matches!(&results[0], Ok(event) if event.data == "a"));
    assert!(matches!(&results[1], Err(io::ErrorKind::BrokenPipe)));
    assert_eq!(results.len(), 2);
}

#[test]
fn a_body_is_read_up_to_its_trailers() {
    let frames = STREAM.chunks(7).map(Frame::data).chain([Frame::trailers(HeaderMap::new())]);
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    let events: Vec<_> = EventStream::of_body(body).collect().now_or_never().expect("it is over");
    assert_eq!(events.len(), 3);
}

#[tokio::test]
async fn a_codec_reads_and_writes() {
    let mut out = Vec::new();
    let mut sink = FramedWrite::new(&mut out, EventCodec::default());
    sink.send(sseproof_codec::Frame {
        id: Some("1"),
        data: Some("a\nb"),
        ..sseproof_codec::Frame::default()
    })
    .await
    .expect("sent");
    let refused = sink
        .send(sseproof_codec::Frame { id: Some("a\nb"), ..sseproof_codec::Frame::default() })
        .await;
    let refused = refused.expect_err("an id cannot hold an LF");
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(refused.to_string(), "the id has a line feed at byte 1");
    drop(sink);
    assert_eq!(out, b"id: 1\ndata: a\ndata: b\n\n");

    let events: Vec<_> = FramedRead::new(STREAM, EventCodec::default()).collect().await;
    let data: Vec<_> = events.iter().map(|event| &*event.as_ref().expect("read").data).collect();
    assert_eq!(data, ["a", "b", "\u{E9}"]);
}
