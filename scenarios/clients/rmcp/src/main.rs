//! The crate rmcp: the stream that its client of Streamable HTTP opens with GET.

#[path = "../protocol.rs"]
mod protocol;

use std::collections::HashMap;

use protocol::{Call, Options, Say};
use rmcp::transport::streamable_http_client::{StreamableHttpClient as _, StreamableHttpError};

async fn connect(options: Options, say: Say) {
    let headers = options.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    let headers: HashMap<_, _> = headers.collect();
    let client = reqwest::Client::new();
    let stream = client.get_stream(options.url.into(), None, options.last_event_id, None, headers).await;
    say.read(
        stream.map_err(|error: StreamableHttpError<reqwest::Error>| format!("{error:?}")),
        |_| None,
        |_| (),
        |item| match item {
            Ok(event) => Call::Event(
                event.event.unwrap_or("message".to_owned()),
                event.data.unwrap_or_default(),
                event.id.unwrap_or_default(),
            ),
            Err(error) => Call::Error(error.to_string(), None),
        },
    )
    .await;
}

#[tokio::main]
async fn main() {
    protocol::serve(
        serde_json::json!({
            "name": "rmcp", "version": "3.11.0", "kind": "reader",
            "can": ["types", "headers", "lastEventId", "close", "closeOn", "error", "closed", "tls", "http2"],
        }),
        connect,
    )
    .await;
}
