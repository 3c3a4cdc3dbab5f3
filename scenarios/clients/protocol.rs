//! The protocol of `sseproof check-client` (specs/client-protocol.md): the part that all adapters in
//! Rust share.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::Notify;

/// A connection that the client is asked for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    pub url: String,
    pub method: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub last_event_id: Option<String>,
    /// In milliseconds, as `read_timeout`.
    pub retry: Option<u64>,
    pub read_timeout: Option<u64>,
    close_on: Value,
}

/// The items that a library returns to its user.
#[allow(dead_code, reason = "not every library has each of them")]
pub enum Call {
    Open,
    Comment(String),
    /// Type, data and last event ID.
    Event(String, String, Option<String>),
    /// With the status of the response, if it is at fault.
    Error(String, Option<u16>),
}

/// Says hello and obeys the commands; `connect` reads one connection to its end.
pub async fn serve<F: Future<Output = ()> + Send + 'static>(
    hello: Value,
    connect: fn(Options, Say) -> F,
) {
    write(&json!({ "hello": hello }));
    let mut connections: HashMap<u64, Arc<Notify>> = HashMap::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await.expect("the standard input") {
        let mut command: Value = serde_json::from_str(&line).expect("a command");
        let id = command["id"].as_u64().expect("an id");
        let options = command["connect"].take();
        if options.is_null() {
            connections[&id].notify_one();
        } else {
            let options: Options = serde_json::from_value(options).expect("a connection");
            let close = Arc::clone(connections.entry(id).or_default());
            let close_on = options.close_on.clone();
            tokio::spawn(connect(options, Say { id, close_on, close, events: 0, errors: 0 }));
        }
    }
}

/// The messages of one connection.
pub struct Say {
    id: u64,
    close_on: Value,
    close: Arc<Notify>,
    events: u64,
    errors: u64,
}

impl Say {
    /// Reads the stream until it ends or is closed; `state` is its `readyState`, if it has one.
    pub async fn read<S: Stream + Unpin, E: ToString>(
        mut self,
        stream: impl Future<Output = Result<S, E>>,
        state: fn(&S) -> Option<usize>,
        close: fn(&mut S),
        call: fn(S::Item) -> Call,
    ) {
        let stream = tokio::select! {
            biased;
            () = self.close.notified() => return self.message("closed", json!({}), None),
            stream = stream => stream,
        };
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                self.write(Call::Error(error.to_string(), None), None);
                return self.message("closed", json!({}), None);
            }
        };
        loop {
            let item = tokio::select! {
                biased;
                () = self.close.notified() => break close(&mut stream),
                item = stream.next() => item,
            };
            let Some(item) = item else { break };
            if self.write(call(item), state(&stream)) {
                break close(&mut stream);
            }
        }
        self.message("closed", json!({}), state(&stream));
    }

    /// Whether the program closes the connection in this handler.
    fn write(&mut self, call: Call, state: Option<usize>) -> bool {
        match call {
            Call::Open => self.message("open", json!({}), state),
            Call::Comment(text) => self.message("comment", json!(text), None),
            Call::Event(kind, data, id) => {
                let mut event = json!({ "type": kind, "data": data });
                if let Some(id) = id {
                    event["lastEventId"] = json!(id);
                }
                self.message("event", event, None);
                self.events += 1;
                return self.close_on["event"] == self.events;
            }
            Call::Error(message, status) => {
                let status = status.map(|status| json!({ "message": message, "status": status }));
                self.message("error", status.unwrap_or(json!({ "message": message })), state);
                self.errors += 1;
                return self.close_on["error"] == self.errors;
            }
        }
        false
    }

    fn message(&self, name: &str, mut value: Value, state: Option<usize>) {
        if let Some(state) = state {
            value["state"] = json!(["connecting", "open", "closed"][state]);
        }
        write(&json!({ "id": self.id, name: value }));
    }
}

fn write(message: &Value) {
    writeln!(std::io::stdout().lock(), "{message}").expect("the standard output");
}
