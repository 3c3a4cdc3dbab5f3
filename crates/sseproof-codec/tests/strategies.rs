//! The strategies give the streams they promise, and find bugs in parsers of others.

mod naive;

use std::convert::Infallible;

use eventsource_stream::Eventsource;
use futures_util::{StreamExt, stream};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRunner};
use sseproof_codec::strategy::{Case, cases, chunked, events, hostile, well_formed};
use sseproof_codec::{Item, decode};

proptest! {
    #[test]
    fn nothing_is_wrong_with_a_well_formed_stream(stream in well_formed()) {
        let anomalies: Vec<_> = decode(&stream)
            .into_iter()
            .filter(|item| matches!(item, Item::Anomaly(_)))
            .collect();
        prop_assert_eq!(anomalies, []);
    }

    #[test]
    fn the_expected_events_are_those_of_the_standard(case in cases()) {
        let events = naive::decode(&case.chunks.concat()).into_iter().filter_map(|item| match item {
            Item::Event(event) => Some(event),
            _ => None,
        });
        prop_assert_eq!(case.expected.events, events.collect::<Vec<_>>());
    }
}

/// Always the same cases.
fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: 2000,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    })
}

/// Tests a parser, and gives the smallest case that fails.
fn smallest_failure(
    cases: impl Strategy<Value = Case>,
    parse: impl Fn(&Case) -> Vec<(String, String)>,
) -> Option<Case> {
    let result = runner().run(&cases, |case| {
        let expected = case.expected.events.iter();
        let expected: Vec<_> =
            expected.map(|event| (event.event_type.to_string(), event.data.to_string())).collect();
        prop_assert_eq!(parse(&case), expected);
        Ok(())
    });
    match result {
        Ok(()) => None,
        Err(TestError::Fail(_, case)) => Some(case),
        Err(error) => panic!("{error}"),
    }
}

fn eventsource_stream(case: &Case) -> Vec<(String, String)> {
    let chunks = stream::iter(case.chunks.clone().into_iter().map(Ok::<_, Infallible>));
    let events = futures_util::FutureExt::now_or_never(chunks.eventsource().collect::<Vec<_>>());
    let events = events.expect("the chunks are there");
    events.into_iter().flatten().map(|event| (event.event, event.data)).collect()
}

fn sse_core(case: &Case) -> Vec<(String, String)> {
    let mut decoder = sse_core::SseDecoder::new();
    let mut events = Vec::new();
    for chunk in &case.chunks {
        let mut chunk = chunk.as_slice();
        while let Some(event) = decoder.next(&mut chunk) {
            if let Ok(sse_core::SseEvent::Message(event)) = event {
                events.push((event.event.into_owned(), event.data));
            }
        }
    }
    events
}

#[test]
fn a_correct_parser_passes() {
    assert!(smallest_failure(cases(), sse_core).is_none());
}

/// eventsource-stream 0.2.3 slices a string at its first byte when it starts with a BOM.
#[test]
fn the_panic_of_eventsource_stream_at_a_bom_is_found() {
    let with_bom =
        well_formed().prop_filter("has a BOM", |stream| stream.starts_with(b"\xEF\xBB\xBF"));
    let case = smallest_failure(chunked(with_bom), eventsource_stream).expect("it panics");
    assert_eq!(case.chunks, [b"\xEF\xBB\xBF\n\n"], "{case:?}");
}

#[test]
fn each_counterexample_is_as_small_as_can_be() {
    let case = smallest_failure(chunked(hostile()), eventsource_stream).expect("it is wrong");
    assert!(case.chunks.concat().len() < 12, "{case:?}");
}

/// Many servers do this: one `data` field, however many lines there are.
#[test]
fn an_encoder_that_does_not_split_data_is_found() {
    let result = runner().run(&events(), |event| {
        let case = Case::new([format!("data: {}\n\n", event.data).into_bytes()]);
        let seen: Vec<_> = case.expected.events.iter().map(|event| &event.data).collect();
        prop_assert_eq!(seen, [&event.data]);
        Ok(())
    });
    let Err(TestError::Fail(_, event)) = result else { panic!("it is wrong: {result:?}") };
    assert_eq!(event.data, "\n");
}
