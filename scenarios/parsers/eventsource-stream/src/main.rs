//! The crate eventsource-stream, which reqwest-eventsource uses.

use std::io::Write as _;
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use eventsource_stream::{Event, Eventsource as _};
use futures::executor::block_on_stream;
use futures::stream;
use serde_json::{Value, json};

type Parsed = Result<Vec<Event>, String>;

fn parse(chunks: &[Vec<u8>]) -> Parsed {
    let chunks = stream::iter(chunks.iter().map(Ok::<_, std::io::Error>));
    block_on_stream(chunks.eventsource())
        .map(|event| event.map_err(|error| error.to_string()))
        .collect()
}

fn answer(parsed: Parsed) -> Value {
    let event =
        |event: &Event| json!({ "type": event.event, "data": event.data, "lastEventId": event.id });
    match parsed {
        Ok(events) => json!({ "events": events.iter().map(event).collect::<Vec<_>>() }),
        Err(error) => json!({ "error": error }),
    }
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
