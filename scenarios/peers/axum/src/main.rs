//! axum's own `Sse`, as its documentation has it: a ticker, a broadcast channel, `KeepAlive`.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt};
use tokio::sync::broadcast;
use tokio_stream::wrappers::{BroadcastStream, IntervalStream};

#[derive(Clone)]
struct App {
    published: broadcast::Sender<String>,
    active: Arc<AtomicUsize>,
}

/// Counts as long as the stream of a client lives.
struct Counted<S> {
    stream: Pin<Box<S>>,
    active: Arc<AtomicUsize>,
}

impl<S> Counted<S> {
    fn new(stream: S, active: Arc<AtomicUsize>) -> Self {
        active.fetch_add(1, Ordering::SeqCst);
        Self { stream: Box::pin(stream), active }
    }
}

impl<S: Stream> Stream for Counted<S> {
    type Item = S::Item;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.stream.as_mut().poll_next(cx)
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn stream(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(200)));
    let events = ticks.enumerate().map(|(n, _)| {
        Ok(Event::default().json_data(serde_json::json!({ "n": n })).unwrap())
    });
    Sse::new(Counted::new(events, app.active)).keep_alive(KeepAlive::default())
}

async fn published(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let messages = BroadcastStream::new(app.published.subscribe());
    // A client that lags misses the events published meanwhile.
    let events = messages.filter_map(async |message| Some(Ok(Event::default().data(message.ok()?))));
    Sse::new(Counted::new(events, app.active)).keep_alive(KeepAlive::default())
}

async fn publish(State(app): State<App>, body: String) -> StatusCode {
    // An error only means that there is no subscriber.
    let _ = app.published.send(body);
    StatusCode::NO_CONTENT
}

async fn active(State(app): State<App>) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "active": app.active.load(Ordering::SeqCst) }))
}

#[tokio::main]
async fn main() {
    let app = App { published: broadcast::channel(64).0, active: Arc::default() };
    let routes = Router::new()
        .route("/stream", get(stream))
        .route("/published", get(published))
        .route("/publish", post(publish))
        .route("/active", get(active))
        .with_state(app);
    let port = std::env::var("PORT").expect("PORT");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("bind");
    axum::serve(listener, routes).await.expect("serve");
}
