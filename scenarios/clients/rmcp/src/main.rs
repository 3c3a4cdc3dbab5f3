//! The crate rmcp: the stream that its client of Streamable HTTP opens with GET.

#[path = "../protocol.rs"]
mod protocol;

use std::collections::HashMap;

use futures_util::TryFutureExt as _;
use protocol::{Call, Options, Say};
use rmcp::transport::streamable_http_client::{StreamableHttpClient as _, StreamableHttpError};
use sse_stream::Sse;

fn call(item: Result<Sse, sse_stream::Error>) -> Call {
    match item {
        Ok(event) => {
            let kind = event.event.unwrap_or("message".to_owned());
            Call::Event(kind, event.data.unwrap_or_default(), None)
        }
        Err(error) => Call::Error(error.to_string(), None),
    }
}

async fn connect(options: Options, say: Say) {
    let headers = options.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
    let headers: HashMap<_, _> = headers.collect();
    let client = reqwest::Client::new();
    let stream = client.get_stream(options.url.into(), None, options.last_event_id, None, headers);
    let stream = stream.map_err(|error: StreamableHttpError<reqwest::Error>| format!("{error:?}"));
    say.read(stream, |_| None, |_| (), call).await;
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
