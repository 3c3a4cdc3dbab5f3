//! A result can come from anywhere: no number in one makes a reader, a merge or a report panic.

use std::collections::BTreeMap;
use std::ops::Range;

use sseproof_load_model::ResultFile;

mod used_result;
use used_result::used;

/// Two outcomes with members of every kind.
const RESULT: &str = include_str!("result.json");

/// Any two of it add up to more than a type has.
const LARGEST: &str = "18446744073709551615";

/// Where the numbers of each member stand, by the member's name.
fn numbers() -> BTreeMap<&'static str, Vec<Range<usize>>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (at, _) in RESULT.match_indices("\":") {
        let digits = RESULT[at + 2..].bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            let name = RESULT[..at].rsplit('"').next().unwrap_or_default();
            all.entry(name).or_default().push(at + 2..at + 2 + digits);
        }
    }
    all
}

fn with_largest(mut places: Vec<Range<usize>>) -> String {
    let mut text = RESULT.to_owned();
    places.sort_by_key(|place| place.start);
    places.into_iter().rev().for_each(|place| text.replace_range(place, LARGEST));
    text
}

#[test]
fn the_largest_numbers_are_used_or_refused() {
    let mut accepted = Vec::new();
    for places in numbers().into_values() {
        if let Ok(file) = ResultFile::parse(&with_largest(places.clone())) {
            used(file);
            accepted.extend(places);
        }
    }
    assert!(accepted.len() > 50, "most numbers have 64 bits");
    let mut file = ResultFile::parse(&with_largest(accepted)).expect("a result");
    // Parts of one run, which are added up.
    for (outcome, index) in file.outcomes.iter_mut().zip(0..) {
        outcome.run.transport = sseproof_load_model::Transport::Sse;
        outcome.run.url.clear();
        outcome.run.streams_per_connection = None;
        outcome.run.shards.iter_mut().for_each(|shard| shard.index -= index);
    }
    used(file);
}
