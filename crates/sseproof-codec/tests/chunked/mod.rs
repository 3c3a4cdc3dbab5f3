//! Decodes a stream in given chunks.

use sseproof_codec::{Decoder, Event, Item, Limits};

/// All items of the stream that the chunks make, up to its end.
///
/// It also checks that `feed` gives the same events as `inspect`.
pub(crate) fn decode<'c>(
    limits: Limits,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Vec<Item<'static>> {
    let chunks: Vec<&[u8]> = chunks.into_iter().collect();
    let mut decoder = Decoder::with_limits(limits);
    let mut decoded = Vec::new();
    for chunk in &chunks {
        let mut items = decoder.inspect(chunk);
        while let Some(item) = items.next() {
            decoded.push(item.into_owned());
        }
    }
    decoded.extend(decoder.finish().map(Item::Anomaly));
    // Every chunk fed, and in turn with chunks that are inspected.
    for turn in [usize::MAX, 2, 3] {
        assert_eq!(events(limits, &chunks, turn), ends_in(&decoded, &decoder), "{turn}");
    }
    decoded
}

type Ending = (Vec<Event<'static>>, Option<Item<'static>>, String, Option<u64>, u64);

/// The result that does not depend on `inspect` or `feed`.
fn ends_in(items: &[Item<'static>], decoder: &Decoder) -> Ending {
    let events = items.iter().filter_map(|item| match item {
        Item::Event(event) => Some(event.clone()),
        _ => None,
    });
    let last = items.last().cloned().filter(|item| match item {
        Item::Anomaly(anomaly) => anomaly.kind == sseproof_codec::AnomalyKind::UnterminatedBlock,
        _ => false,
    });
    let last_event_id = decoder.last_event_id().to_owned();
    (events.collect(), last, last_event_id, decoder.reconnection_time(), decoder.offset())
}

/// The events, if every chunk is fed whose number is not a multiple of `turn`.
fn events(limits: Limits, chunks: &[&[u8]], turn: usize) -> Ending {
    let mut decoder = Decoder::with_limits(limits);
    let mut seen = Vec::new();
    for (index, chunk) in chunks.iter().enumerate() {
        if (index + 1) % turn == 0 {
            let mut items = decoder.inspect(chunk);
            while let Some(item) = items.next() {
                seen.extend(matches!(item, Item::Event(_)).then(|| item.into_owned()));
            }
            continue;
        }
        let mut events = decoder.feed(chunk);
        while let Some(event) = events.next() {
            seen.push(Item::Event(event.into_owned()));
        }
    }
    seen.extend(decoder.finish().map(Item::Anomaly));
    ends_in(&seen, &decoder)
}
