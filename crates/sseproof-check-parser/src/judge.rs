//! Compares an answer with the corpus.

use serde::Serialize;

use sseproof_corpus::Event;

use crate::answer::{Answer, Fault};

/// Longer reconnection times, in milliseconds, are not judged: a number in JavaScript cannot hold
/// all of them.
const LONGEST_RETRY: u64 = 1 << 53;

#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) events: Vec<Event>,
    pub(crate) last_event_id: String,
    pub(crate) retry: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The chunks, each as a literal of Rust without its quotes.
    pub chunks: Vec<String>,
    pub expected: Vec<Event>,
    /// `None` if the parser gave no answer.
    pub got: Option<Vec<Event>>,
    pub what: String,
    /// The same stream in one piece is read correctly.
    pub only_when_cut: bool,
}

pub(crate) fn judge(
    chunks: &[Vec<u8>],
    expected: &Expected,
    answer: &Result<Answer, Fault>,
) -> Option<Failure> {
    let what = match answer {
        Ok(answer) => difference(expected, answer)?,
        Err(fault) => fault.to_string(),
    };
    Some(Failure {
        chunks: chunks.iter().map(|chunk| chunk.escape_ascii().to_string()).collect(),
        expected: expected.events.clone(),
        got: answer.as_ref().ok().map(|answer| answer.events.clone()),
        what,
        only_when_cut: false,
    })
}

fn difference(expected: &Expected, answer: &Answer) -> Option<String> {
    let (right, got) = (&expected.events, &answer.events);
    for (index, (right, got)) in right.iter().zip(got).enumerate() {
        if let Some(what) = different(right, got) {
            return Some(format!("event {}: {what}", index + 1));
        }
    }
    if let Some(missing) = right.get(got.len()) {
        let data = &missing.data;
        return Some(format!("event {} is not dispatched: data {data:?}", got.len() + 1));
    }
    if let Some(extra) = got.get(right.len()) {
        let data = &extra.data;
        return Some(format!("event {} must not be dispatched: data {data:?}", right.len() + 1));
    }
    match (&answer.last_event_id, answer.retry) {
        (Some(id), _) if *id != expected.last_event_id => {
            let right = &expected.last_event_id;
            Some(format!("the last event ID at the end is {id:?} instead of {right:?}"))
        }
        // The standard sets no limit, but a clock has one.
        (_, Some(retry)) if retry != expected.retry && expected.retry < Some(LONGEST_RETRY) => {
            let millis =
                |retry: Option<u64>| retry.map_or("none".to_owned(), |retry| retry.to_string());
            let (got, right) = (millis(retry), millis(expected.retry));
            Some(format!("the reconnection time is {got} instead of {right}"))
        }
        _ => None,
    }
}

fn different(right: &Event, got: &Event) -> Option<String> {
    let differs = |name: &str, right: &Option<String>, got: &Option<String>| match (right, got) {
        (Some(right), Some(got)) if right != got => {
            Some(format!("its {name} is {got:?} instead of {right:?}"))
        }
        _ => None,
    };
    if right.data != got.data {
        return Some(format!("its data is {:?} instead of {:?}", got.data, right.data));
    }
    differs("type", &right.event_type, &got.event_type)
        .or_else(|| differs("last event ID", &right.last_event_id, &got.last_event_id))
}
