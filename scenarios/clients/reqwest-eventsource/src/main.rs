//! The crate reqwest-eventsource.

#[path = "../protocol.rs"]
mod protocol;

use std::time::Duration;

use protocol::{Call, Options, Say};
use reqwest::{Client, Method};
use reqwest_eventsource::retry::ExponentialBackoff;
use reqwest_eventsource::{Error, Event, EventSource};

fn open(options: Options) -> Result<EventSource, Box<dyn std::error::Error + Send + Sync>> {
    let method: Method = options.method.as_deref().unwrap_or("GET").parse()?;
    let mut request = Client::new().request(method, options.url);
    request =
        options.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    request = options.body.into_iter().fold(request, |request, body| request.body(body));
    let mut source = EventSource::new(request)?;
    if let Some(retry) = options.retry.map(Duration::from_millis) {
        let policy = ExponentialBackoff::new(retry, 2., Some(Duration::from_secs(5)), None);
        source.set_retry_policy(Box::new(policy));
    }
    Ok(source)
}

fn call(item: Result<Event, Error>) -> Call {
    match item {
        Ok(Event::Open) => Call::Open,
        Ok(Event::Message(event)) => Call::Event(event.event, event.data, Some(event.id)),
        Err(Error::InvalidStatusCode(status, _)) => {
            Call::Error(status.to_string(), Some(status.as_u16()))
        }
        Err(error) => Call::Error(error.to_string(), None),
    }
}

async fn connect(options: Options, say: Say) {
    say.read(
        async { open(options) },
        |source| Some(source.ready_state() as usize),
        EventSource::close,
        call,
    )
    .await;
}

#[tokio::main]
async fn main() {
    protocol::serve(
        serde_json::json!({
            "name": "reqwest-eventsource", "version": "0.6.0", "kind": "resilient",
            "can": [
                "types", "headers", "method", "body", "retry", "close", "closeOn", "open", "error",
                "closed", "state", "lastEventId.event", "tls", "http2",
            ],
            "retriesOn": ["network", "end"],
        }),
        connect,
    )
    .await;
}
