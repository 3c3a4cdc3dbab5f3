//! Properties of every stream and every frame.

mod chunked;
mod naive;

use proptest::prelude::*;
use sseproof_codec::strategy::hostile;
use sseproof_codec::{
    Decoder, EmptyBlock, Event, Frame, Item, Limits, Resume, Span, decode, encode,
};

/// Texts with every character that a frame can and cannot carry.
fn texts() -> impl Strategy<Value = String> {
    let char = prop_oneof![
        6 => prop::sample::select(vec!['a', ' ', ':', '\n', '\t', '0', '\u{FEFF}', '\u{2028}', '\u{85}', 'é', '😀']),
        1 => prop::sample::select(vec!['\r', '\0', '\u{FFFD}']),
        1 => any::<char>(),
    ];
    prop::collection::vec(char, 0..12).prop_map(String::from_iter)
}

/// A frame that owns its texts.
#[derive(Clone, Debug)]
struct Written {
    comment: Option<String>,
    event: Option<String>,
    id: Option<String>,
    retry: Option<u64>,
    data: Option<String>,
}

impl Written {
    fn frame(&self) -> Frame<'_> {
        Frame {
            comment: self.comment.as_deref(),
            event: self.event.as_deref(),
            id: self.id.as_deref(),
            retry: self.retry,
            data: self.data.as_deref(),
        }
    }
}

prop_compose! {
    fn frames()(
        comment in prop::option::of(texts()),
        event in prop::option::of(texts()),
        id in prop::option::of(texts()),
        retry in prop::option::of(any::<u64>()),
        data in prop::option::of(texts()),
    ) -> Written {
        Written { comment, event, id, retry, data }
    }
}

/// The events of a chunk, without their place in the stream.
fn events(decoder: &mut Decoder, chunk: &[u8]) -> Vec<Event<'static>> {
    let mut seen = Vec::new();
    let mut events = decoder.feed(chunk);
    while let Some(event) = events.next() {
        seen.push(Event { span: Span::new(0, 0), ..event.into_owned() });
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_decoder_is_the_standard(stream in hostile()) {
        prop_assert_eq!(decode(&stream), naive::decode(&stream));
    }

    #[test]
    fn noise_too(stream in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(decode(&stream), naive::decode(&stream));
    }

    #[test]
    fn chunks_change_nothing(stream in hostile(), sizes in prop::collection::vec(0_usize..9, 1..20)) {
        prop_assume!(sizes.iter().any(|&size| size > 0));
        let mut chunks = Vec::new();
        let mut rest = stream.as_slice();
        for &size in sizes.iter().cycle() {
            let (chunk, behind) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(chunked::decode(Limits::default(), chunks), decode(&stream));
    }

    /// Dropping the items early leaves the decoder as if all of them had been read.
    #[test]
    fn items_may_be_dropped(stream in hostile(), read in 0_usize..5) {
        let mut whole = Decoder::new();
        let mut items = whole.inspect(&stream);
        while items.next().is_some() {}
        drop(items);

        let mut dropped = Decoder::new();
        for half in stream.chunks(stream.len() / 2 + 1) {
            let mut items = dropped.inspect(half);
            for _ in 0..read {
                items.next();
            }
        }
        prop_assert_eq!(dropped.finish(), whole.finish());
        prop_assert_eq!(dropped.last_event_id(), whole.last_event_id());
        prop_assert_eq!(dropped.reconnection_time(), whole.reconnection_time());
        prop_assert_eq!(dropped.offset(), whole.offset());
    }

    /// Decoders that change streams whenever they are at rest decode as separate decoders do.
    #[test]
    fn decoders_at_rest_are_exchanged(
        streams in prop::collection::vec(hostile(), 1..4),
        size in 1_usize..40,
    ) {
        let mut own: Vec<_> = streams.iter().map(|_| Decoder::new()).collect();
        let mut kept: Vec<_> = streams.iter().map(|_| (Some(Decoder::new()), Resume::default())).collect();
        let mut resting = Vec::new();
        let rounds = streams.iter().map(|stream| stream.len().div_ceil(size)).max().unwrap_or(0);
        for round in 0..rounds {
            for (at, stream) in streams.iter().enumerate() {
                let Some(chunk) = stream.chunks(size).nth(round) else { continue };
                let (decoder, resume) = &mut kept[at];
                // A stream without a decoder gets one that is at rest.
                let mut exchanged = decoder.take().or_else(|| resting.pop()).unwrap();
                exchanged.exchange(resume);
                prop_assert_eq!(events(&mut exchanged, chunk), events(&mut own[at], chunk));
                exchanged.exchange(resume);
                prop_assert_eq!(&*resume.last_event_id, own[at].last_event_id());
                prop_assert_eq!(resume.reconnection_time, own[at].reconnection_time());
                if exchanged.is_at_rest() {
                    resting.push(exchanged);
                } else {
                    *decoder = Some(exchanged);
                }
            }
        }
    }

    /// Items come line by line; only those of the same line may be out of order.
    #[test]
    fn spans_lie_in_the_stream_and_items_in_order(stream in hostile()) {
        let mut line = 0;
        for item in decode(&stream) {
            let Span { start, end } = item.span();
            prop_assert!(start <= end && end <= stream.len() as u64);
            let item_line = stream[..end.saturating_sub(1) as usize].iter()
                .filter(|&&byte| byte == b'\n' || byte == b'\r').count();
            prop_assert!(item_line >= line, "{:?} is late", item);
            line = item_line;
        }
    }

    /// Accepted frames decode to the same values, without an anomaly; a rejected frame writes
    /// nothing.
    #[test]
    fn frames_decode_to_the_same(written in prop::collection::vec(frames(), 0..6)) {
        let mut out = Vec::new();
        let mut expected = Vec::new();
        let mut last_event_id = String::new();
        for written in &written {
            let before = out.clone();
            match encode(&written.frame(), &mut out) {
                Ok(()) => expect(written, &mut last_event_id, &mut expected),
                Err(error) => {
                    prop_assert_eq!(&out, &before);
                    prop_assert!(cannot_be_carried(written), "{} in {:?}", error, written);
                }
            }
        }
        let decoded: Vec<Item<'static>> = decode(&out).into_iter().map(without_span).collect();
        prop_assert_eq!(decoded, expected);
    }

    /// A decoder that reconnects reads the next stream as a new one that was given the state.
    #[test]
    fn nothing_but_the_state_is_taken_over(first in hostile(), second in hostile(), fed in any::<bool>()) {
        let mut decoder = Decoder::new();
        if fed {
            drop(decoder.feed(&first));
        } else {
            drop(decoder.inspect(&first));
        }
        decoder.reconnect();
        let state = (decoder.last_event_id().to_owned(), decoder.reconnection_time());
        let mut resumed = Decoder::new().resumed(&state.0, state.1);
        prop_assert_eq!(whole(&mut decoder, &second), whole(&mut resumed, &second));
        prop_assert_eq!(decoder.last_event_id(), resumed.last_event_id());
        prop_assert_eq!(decoder.reconnection_time(), resumed.reconnection_time());
        prop_assert_eq!(decoder.offset(), resumed.offset());
    }
}

fn cannot_be_carried(written: &Written) -> bool {
    let has = |text: &Option<String>, chars: &[char]| {
        text.as_deref().is_some_and(|text| text.contains(chars))
    };
    has(&written.comment, &['\r'])
        || has(&written.data, &['\r'])
        || has(&written.event, &['\r', '\n'])
        || has(&written.id, &['\r', '\n', '\0'])
        || written.event.as_deref() == Some("")
}

fn expect(written: &Written, last_event_id: &mut String, expected: &mut Vec<Item<'static>>) {
    use sseproof_codec::{Comment, Retry};

    let span = Span::default();
    for text in written.comment.iter().flat_map(|comment| comment.split('\n')) {
        expected.push(Item::Comment(Comment { text: text.to_owned().into(), span }));
    }
    expected.extend(written.retry.map(|millis| Item::Retry(Retry { millis, span })));
    if let Some(id) = &written.id {
        last_event_id.clone_from(id);
    }
    let sets_id = written.id.is_some();
    if let Some(data) = &written.data {
        expected.push(Item::Event(Event {
            event_type: written.event.clone().unwrap_or("message".to_owned()).into(),
            data: data.clone().into(),
            last_event_id: last_event_id.clone().into(),
            sets_id,
            span,
        }));
    } else if written.event.is_some() || sets_id || written.retry.is_some() {
        let sets_event = written.event.is_some();
        expected.push(Item::EmptyBlock(EmptyBlock { sets_id, sets_event, span }));
    }
}

fn without_span(mut item: Item<'static>) -> Item<'static> {
    let span = match &mut item {
        Item::Event(event) => &mut event.span,
        Item::Comment(comment) => &mut comment.span,
        Item::Retry(retry) => &mut retry.span,
        Item::UnknownField(field) => &mut field.span,
        Item::EmptyBlock(block) => &mut block.span,
        Item::Anomaly(anomaly) => &mut anomaly.span,
        _ => return item,
    };
    *span = Span::default();
    item
}

fn whole(decoder: &mut Decoder, stream: &[u8]) -> Vec<Item<'static>> {
    let mut decoded = Vec::new();
    let mut items = decoder.inspect(stream);
    while let Some(item) = items.next() {
        decoded.push(item.into_owned());
    }
    drop(items);
    decoded.extend(decoder.finish().map(Item::Anomaly));
    decoded
}
