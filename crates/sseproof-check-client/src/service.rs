//! A test service for the contract tests of LaunchDarkly (`sse-contract-tests`): an HTTP service
//! around a client, which connects at a POST and reports what it sees by requests of its own.
//!
//! Such services exist for clients in many languages, and are driven here unchanged. They cannot
//! report everything: [`can`] says what they are asked for, and why. Streams are only deleted when
//! the run ends, since some services delete another stream than the one that is named, and others
//! keep its connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use sseproof_client_rules::protocol::{Event, Failed};
use sseproof_client_rules::{Call, Can, Command, Connect, Hello, Kind, Transport};
use sseproof_http::{Bytes, Headers, Plan, Request, Version};
use sseproof_net::{Client, Dial, Direct, Lab, Leave, Limits};
use sseproof_record::{Ending, Exchange};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::in_order::InOrder;
use crate::{BoxFuture, Carrier, Ground, Notice, Place, StartError, Tcp};

/// How long a service may take to its first answer.
const READY: Duration = Duration::from_secs(10);
/// The time between two requests until it answers.
const POLL: Duration = Duration::from_millis(100);
/// How long it may take to a later answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The reconnection time of a connection that sets none, in milliseconds: with `null`, which the
/// contract tests send to clients that have no reason to reconnect, some services fail to.
const RETRY: u64 = 1000;
/// How long the deletion of all streams may take.
const GOODBYE: Duration = Duration::from_secs(5);
/// How much is shown of a body that is not understood.
const SHOWN: usize = 200;

pub struct Service {
    kind: Kind,
    stops: bool,
    asks: Asks,
    ground: Arc<dyn Ground>,
    session: Option<Session>,
}

/// Requests to the service.
#[derive(Clone)]
struct Asks {
    url: String,
    client: Client,
}

/// The time from one start to the next.
struct Session {
    callbacks: Box<dyn Place>,
    has_listeners: bool,
    out: UnboundedSender<Notice>,
    /// The URLs of its streams.
    streams: Arc<Mutex<Vec<String>>>,
    watch: AbortHandle,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// The answer to the first request.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    name: Option<String>,
    capabilities: Option<Vec<String>>,
}

/// The body of a callback.
#[derive(Deserialize)]
struct Callback {
    kind: String,
    event: Option<CallbackEvent>,
    comment: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct CallbackEvent {
    #[serde(rename = "type")]
    event_type: Option<String>,
    data: Option<String>,
    id: Option<String>,
}

impl Service {
    /// The service at this URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self::over(url, Arc::new(Direct), Arc::new(Tcp::default()))
    }

    /// The same; the requests to it are dialled in this way, and its own ones arrive on `ground`.
    pub fn over(url: impl Into<String>, dial: Arc<dyn Dial>, ground: Arc<dyn Ground>) -> Self {
        let client = Client::new(dial, Limits::default());
        Self {
            kind: Kind::Resilient,
            stops: false,
            asks: Asks { url: url.into(), client },
            ground,
            session: None,
        }
    }

    /// A client of that kind, which a service cannot say by itself.
    ///
    /// [`Kind::Resilient`] is assumed: the contract tests demand that a client reconnects, and leave
    /// the statuses after which it does to the client.
    #[must_use]
    pub fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The service is asked to exit after the last case.
    #[must_use]
    pub fn stopped_at_end(self) -> Self {
        Self { stops: true, ..self }
    }

    async fn begin(&mut self, out: UnboundedSender<Notice>) -> Result<Hello, StartError> {
        let callbacks = self.ground.place(callbacks(out.clone()), Transport::Http1).await;
        let callbacks = callbacks.map_err(|error| StartError::Unreachable(error.to_string()))?;
        let status = self.asks.status().await.map_err(StartError::Unreachable)?;
        let capabilities = status.capabilities.unwrap_or_default();
        let has_listeners = capabilities.iter().any(|name| name == "event-type-listeners");
        let watch = tokio::spawn(self.asks.clone().watch(out.clone())).abort_handle();
        let streams = Arc::default();
        self.session = Some(Session { callbacks, has_listeners, out, streams, watch });
        let name = status.name.filter(|name| !name.is_empty());
        Ok(Hello {
            name: name.unwrap_or_else(|| self.asks.url.clone()),
            version: String::new(),
            kind: self.kind,
            can: can(&capabilities),
            retries_on: match self.kind {
                Kind::Resilient => retries_on(&capabilities),
                _ => Vec::new(),
            },
        })
    }

    async fn end(&mut self) {
        if let Some(session) = self.session.take() {
            let streams = std::mem::take(&mut *lock(&session.streams));
            let all = async {
                for stream in streams {
                    // The contract tests do not look at the answer either.
                    let _ = self.asks.ask("DELETE", &stream, None).await;
                }
            };
            let _ = timeout(GOODBYE, all).await;
        }
        if self.stops {
            // A service may exit before it answers.
            let _ = self.asks.ask("DELETE", &self.asks.url, None).await;
        }
    }
}

impl Carrier for Service {
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>> {
        Box::pin(self.begin(out))
    }

    fn send(&mut self, command: Command) {
        let (Some(session), Command { id, connect: Some(connect), .. }) = (&self.session, command)
        else {
            return;
        };
        let types = if session.has_listeners { connect.types.clone() } else { Vec::new() };
        let created = created(id, &connect, &session.callbacks.origins().own);
        let (asks, streams) = (self.asks.clone(), Arc::clone(&session.streams));
        let out = session.out.clone();
        tokio::spawn(async move {
            if let Err(why) = asks.connect(created, types, &streams).await {
                // The run may be over.
                let _ = out.send(Notice::Died(format!("the test service does not work: {why}")));
            }
        });
    }

    fn starts_anew(&self) -> bool {
        false
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.end())
    }
}

/// The options and messages of a service with these capabilities.
///
/// Missing for all of them: `open`, `closed`, `state` and `closeOn`, which their protocol lacks;
/// `close`, since services answer a DELETE and keep the connection; `error`, since a service may
/// keep an error to itself: the contract tests demand one only after a redirect to nowhere. Errors
/// are recorded nevertheless. A service that has to be asked to listen for a type can only be asked
/// when its stream has begun, too late for the first event, so it has no `types`.
fn can(capabilities: &[String]) -> Vec<Can> {
    let has = |name: &str| capabilities.iter().any(|capability| capability == name);
    let always = [(Can::Retry, true), (Can::LastEventIdOfEvent, true)];
    let optional = [
        (Can::Types, !has("event-type-listeners")),
        (Can::Headers, has("headers")),
        (Can::Method, has("post")),
        (Can::Body, has("post")),
        (Can::LastEventId, has("last-event-id")),
        (Can::ReadTimeout, has("read-timeout")),
        (Can::Comment, has("comments")),
    ];
    always.into_iter().chain(optional).filter_map(|(can, has)| has.then_some(can)).collect()
}

/// The ends after which the client of such a service may reconnect.
///
/// The contract tests demand that it does after the first two. They leave statuses to the client:
/// only those that name the capability for it have to stop at 204.
fn retries_on(capabilities: &[String]) -> Vec<String> {
    let stops = capabilities.iter().any(|name| name == "server-directed-shutdown-request");
    let all = ["network", "end", "status", "204"];
    all.into_iter().filter(|end| !stops || *end != "204").map(str::to_owned).collect()
}

/// The request for a stream. A timeout that is not set is `null` and other members are missing, as in
/// the contract tests.
fn created(id: u64, connect: &Connect, callbacks: &str) -> Value {
    let mut created = json!({
        // Some services fail without a tag.
        "tag": format!("sseproof {id}"),
        "callbackUrl": format!("{callbacks}/{id}"),
        "streamUrl": connect.url,
        "initialDelayMs": connect.retry.unwrap_or(RETRY),
        "readTimeoutMs": connect.read_timeout,
    });
    let texts = [
        ("lastEventId", &connect.last_event_id),
        ("method", &connect.method),
        ("body", &connect.body),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            created[name] = json!(text);
        }
    }
    if !connect.headers.is_empty() {
        created["headers"] = json!(connect.headers);
    }
    created
}

impl Asks {
    /// The first answer of the service, which may have been started a moment ago.
    async fn status(&self) -> Result<Status, String> {
        let began = Instant::now();
        loop {
            let asked = self.ask("GET", &self.url, None).await?;
            match asked.status() {
                Some(200) => return status(&asked.body_bytes(), &self.url),
                Some(other) => return Err(format!("{} answers with status {other}", self.url)),
                None if began.elapsed() < READY => sleep(POLL).await,
                None => {
                    let seconds = READY.as_secs();
                    let how = &asked.end.how;
                    return Err(format!("{} does not answer within {seconds} s: {how}", self.url));
                }
            }
        }
    }

    /// Reports the end of the service: it is seen only by a port that is closed, and the ends of its
    /// streams look like those of a client that disconnects.
    async fn watch(self, out: UnboundedSender<Notice>) {
        loop {
            sleep(POLL).await;
            let Ok(asked) = self.ask("GET", &self.url, None).await else { return };
            if let Ending::Unconnected(why) = &asked.end.how {
                // The run may be over.
                let _ = out.send(Notice::Died(format!("the test service ended: {why}")));
                return;
            }
        }
    }

    async fn connect(
        &self,
        created: Value,
        types: Vec<String>,
        streams: &Mutex<Vec<String>>,
    ) -> Result<(), String> {
        let answer = self.ask("POST", &self.url, Some(created)).await?;
        let what = format!("POST {}", self.url);
        let Some(status) = answer.status() else {
            return Err(format!("{what} gets no answer: {}", answer.end.how));
        };
        if !(200..300).contains(&status) {
            return Err(format!("{what} is answered with status {status}"));
        }
        let location = answer.head.as_ref().and_then(|head| head.headers.first("location"));
        let Some(location) = location else {
            return Err(format!("{what} is answered without a Location"));
        };
        let stream = absolute(&self.url, &location);
        lock(streams).push(stream.clone());
        for event_type in types {
            let listen = json!({ "command": "listen", "listen": { "type": event_type } });
            let answer = self.ask("POST", &stream, Some(listen)).await?;
            if answer.status().is_none_or(|status| status >= 300) {
                let status = answer.status().map_or(answer.end.how.to_string(), |status| {
                    format!("it is answered with status {status}")
                });
                return Err(format!("the command `listen` for {event_type} fails: {status}"));
            }
        }
        Ok(())
    }

    async fn ask(&self, method: &str, url: &str, body: Option<Value>) -> Result<Exchange, String> {
        let mut headers = Headers::default();
        if body.is_some() {
            headers.set("Content-Type", "application/json");
        }
        let request = Request {
            method: method.to_owned(),
            url: url.to_owned(),
            version: Version::Http11,
            headers,
            body: body.map(|body| Bytes::from(body.to_string())).unwrap_or_default(),
        };
        let mut live = self.client.open(request).map_err(|error| error.to_string())?;
        live.wait(PATIENCE, |_| false).await;
        Ok(live.leave(Leave::Fin).await)
    }
}

fn status(body: &[u8], url: &str) -> Result<Status, String> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Status::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        let error = format!("{url} does not answer as a test service does: {error}");
        format!("{error}: {}", shown(body))
    })
}

/// The URL of a stream: the contract tests put the URL of the service before a relative one.
fn absolute(url: &str, location: &str) -> String {
    if location.starts_with("http:") || location.starts_with("https:") {
        return location.to_owned();
    }
    let url = if location.starts_with('/') { url.trim_end_matches('/') } else { url };
    format!("{url}{location}")
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_end().chars().take(SHOWN).collect()
}

/// The server of the callbacks: `POST /<id of the connection>/<number of the message>`.
fn callbacks(out: UnboundedSender<Notice>) -> Lab {
    let order: Mutex<HashMap<u64, InOrder<Option<Call>>>> = Mutex::default();
    Lab::new(move |visit| {
        let request = visit.request;
        let Some((id, number)) = place(request) else {
            return Plan::answer(404, "text/plain", "not a callback\n");
        };
        // The run may be over.
        let said = |said| drop(out.send(said));
        match call(&request.body) {
            Ok(call) => {
                let complete = lock(&order).entry(id).or_default().push(number, call);
                for call in complete.into_iter().flatten() {
                    said(Notice::Call { at: Instant::now(), id, call });
                }
                Plan::answer(202, "text/plain", "")
            }
            Err(error) => {
                let body = shown(&request.body);
                said(Notice::Died(format!("a callback is not a message ({error}): {body}")));
                Plan::answer(400, "text/plain", "not a message\n")
            }
        }
    })
}

fn place(request: &Request) -> Option<(u64, u64)> {
    let (id, number) = request.path().strip_prefix('/')?.split_once('/')?;
    (request.method == "POST").then_some((id.parse().ok()?, number.parse().ok()?))
}

/// The call of a callback; `None` if it is of a kind that is not known.
fn call(body: &[u8]) -> Result<Option<Call>, String> {
    let callback: Callback = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let Callback { kind, event, comment, error } = callback;
    Ok(match kind.as_str() {
        "event" => {
            let event = event.ok_or("it has no `event`")?;
            let event_type = event.event_type.filter(|event_type| !event_type.is_empty());
            Some(Call::Event(Event {
                event_type: event_type.unwrap_or_else(|| "message".to_owned()),
                data: event.data.unwrap_or_default(),
                last_event_id: Some(event.id.unwrap_or_default()),
                origin: None,
            }))
        }
        "comment" => Some(Call::Comment(comment.unwrap_or_default())),
        // The document of the contract tests calls the member `comment`, their code `error`.
        "error" => {
            let message = error.or(comment).unwrap_or_default();
            Some(Call::Error(Failed { message, ..Failed::default() }))
        }
        _ => None,
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_asked_for_as_the_contract_tests_do() {
        let bare = created(7, &Connect::to("http://a/"), "http://b");
        let expected = json!({
            "tag": "sseproof 7",
            "callbackUrl": "http://b/7",
            "streamUrl": "http://a/",
            "initialDelayMs": 1000,
            "readTimeoutMs": null,
        });
        assert_eq!(bare, expected);
        let full = Connect {
            method: Some("POST".to_owned()),
            body: Some("{}".to_owned()),
            headers: [("x".to_owned(), "y".to_owned())].into(),
            last_event_id: Some("5".to_owned()),
            retry: Some(50),
            ..Connect::to("http://a/")
        };
        let full = created(7, &full, "http://b");
        assert_eq!(full["headers"], json!({ "x": "y" }));
        let members = [("method", json!("POST")), ("body", json!("{}"))];
        let more = [("lastEventId", json!("5")), ("initialDelayMs", json!(50))];
        for (name, value) in members.into_iter().chain(more) {
            assert_eq!(full[name], value, "{name}");
        }
    }

    #[test]
    fn the_place_of_a_stream_is_joined_by_concatenation() {
        for (url, location, stream) in [
            ("http://a:1", "/streams/1", "http://a:1/streams/1"),
            ("http://a:1/", "/streams/1", "http://a:1/streams/1"),
            ("http://a:1/x/", "1", "http://a:1/x/1"),
            ("http://a:1", "http://b/1", "http://b/1"),
        ] {
            assert_eq!(absolute(url, location), stream);
        }
    }

    #[test]
    fn callbacks_of_all_kinds_are_read() {
        let read = |body: &str| call(body.as_bytes());
        let event = |event_type: &str, data: &str, id: &str| {
            Ok(Some(Call::Event(Event {
                event_type: event_type.to_owned(),
                data: data.to_owned(),
                last_event_id: Some(id.to_owned()),
                origin: None,
            })))
        };
        let full = r#"{"kind":"event","event":{"type":"x","data":"a","id":"1"}}"#;
        assert_eq!(read(full), event("x", "a", "1"));
        let bare = r#"{"kind":"event","event":{"type":"","data":"a"}}"#;
        assert_eq!(read(bare), event("message", "a", ""));
        let null = r#"{"kind":"event","event":{"type":null,"data":null,"id":null},"more":1}"#;
        assert_eq!(read(null), event("message", "", ""));
        let comment = r#"{"kind":"comment","comment":"ping"}"#;
        assert_eq!(read(comment), Ok(Some(Call::Comment("ping".to_owned()))));
        let failed = Failed { message: "no".to_owned(), ..Failed::default() };
        for error in [r#"{"kind":"error","error":"no"}"#, r#"{"kind":"error","comment":"no"}"#] {
            assert_eq!(read(error), Ok(Some(Call::Error(failed.clone()))));
        }
        assert_eq!(read(r#"{"kind":"hello"}"#), Ok(None));
        assert!(read(r#"{"kind":"event"}"#).is_err());
        assert!(read("no JSON").is_err());
    }

    #[test]
    fn capabilities_are_what_the_client_can() {
        let named =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let none = [Can::Retry, Can::LastEventIdOfEvent, Can::Types];
        assert_eq!(can(&named(&["bom", "restart"])), none);
        assert!(!can(&named(&["event-type-listeners"])).contains(&Can::Types));
        let post = can(&named(&["post", "comments"]));
        assert!(post.contains(&Can::Body) && post.contains(&Can::Comment), "{post:?}");
    }
}
