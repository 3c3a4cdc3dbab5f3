//! The crate sse-core.

use std::io::Write as _;
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use sse_core::{MessageEvent, SseDecoder, SseEvent};

type Parsed = (Vec<MessageEvent>, Option<u32>);

fn parse(chunks: &[Vec<u8>]) -> Parsed {
    let mut decoder = SseDecoder::new();
    let mut events = Vec::new();
    let mut retry = None;
    for chunk in chunks {
        let mut chunk = chunk.as_slice();
        while let Some(event) = decoder.next(&mut chunk) {
            match event.expect("below the limit") {
                SseEvent::Message(event) => events.push(event),
                SseEvent::Retry(millis) => retry = Some(millis),
            }
        }
    }
    (events, retry)
}

fn answer((events, retry): Parsed) -> Value {
    let event = |event: &MessageEvent| {
        let id = event.last_event_id.as_deref().unwrap_or_default();
        json!({ "type": event.event, "data": event.data, "lastEventId": id })
    };
    json!({ "events": events.iter().map(event).collect::<Vec<_>>(), "retry": retry })
}

fn main() {
    for line in std::io::stdin().lines() {
        let question: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let chunks = question["chunks"].as_array().unwrap().iter();
        let chunks = chunks.map(|chunk| BASE64_STANDARD.decode(chunk.as_str().unwrap()).unwrap());
        let chunks: Vec<Vec<u8>> = chunks.collect();
        let began = Instant::now();
        let parsed = parse(&chunks);
        let nanos = began.elapsed().as_nanos() as u64;
        let mut answer = answer(parsed);
        answer["id"] = question["id"].clone();
        if answer.get("error").is_none() {
            answer["nanos"] = json!(nanos);
        }
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}
