//! The crate eventsource-client with its own transport. Its stream is closed by dropping it.

#[path = "../protocol.rs"]
mod protocol;

use std::time::Duration;

use eventsource_client::{BoxStream, Client as _, ClientBuilder, Error, ReconnectOptions, SSE};
use launchdarkly_sdk_transport::HyperTransport;
use protocol::{Call, Options, Say};

fn open(
    options: Options,
) -> Result<BoxStream<Result<SSE, Error>>, Box<dyn std::error::Error + Send + Sync>> {
    let mut builder = ClientBuilder::for_url(&options.url)?;
    for (name, value) in &options.headers {
        builder = builder.header(name, value)?;
    }
    builder = options.method.into_iter().fold(builder, ClientBuilder::method);
    builder = options.body.into_iter().fold(builder, ClientBuilder::body);
    builder = options.last_event_id.into_iter().fold(builder, ClientBuilder::last_event_id);
    let policy = ReconnectOptions::reconnect(true).retry_initial(true);
    let delay = options.retry.map(Duration::from_millis).into_iter();
    let policy = delay.fold(policy, |policy, delay| policy.delay(delay)).build();
    let timeout = options.read_timeout.map(Duration::from_millis).into_iter();
    let transport = timeout.fold(HyperTransport::builder(), |at, time| at.read_timeout(time));
    Ok(builder.reconnect(policy).build_with_transport(transport.build_https()?).stream())
}

fn call(item: Result<SSE, Error>) -> Call {
    match item {
        Ok(SSE::Connected(_)) => Call::Open,
        Ok(SSE::Comment(text)) => Call::Comment(text),
        Ok(SSE::Event(event)) => {
            Call::Event(event.event_type, event.data, Some(event.id.unwrap_or_default()))
        }
        Err(Error::UnexpectedResponse(response, _)) => {
            Call::Error("unexpected response".to_owned(), Some(response.status()))
        }
        Err(error) => Call::Error(error.to_string(), None),
    }
}

async fn connect(options: Options, say: Say) {
    say.read(async { open(options) }, |_| None, |_| (), call).await;
}

#[tokio::main]
async fn main() {
    protocol::serve(
        serde_json::json!({
            "name": "eventsource-client", "version": "0.18.0", "kind": "resilient",
            "can": [
                "types", "headers", "method", "body", "lastEventId", "retry", "readTimeout", "close",
                "closeOn", "open", "error", "closed", "comment", "lastEventId.event", "tls", "http2",
            ],
            "retriesOn": ["network", "end", "status"],
        }),
        connect,
    )
    .await;
}
