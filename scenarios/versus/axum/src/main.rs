//! axum's `Sse` and its `WebSocket`, as its documentation has them: one broadcast channel for both.

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{Response, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::wrappers::BroadcastStream;

type Feed = broadcast::Sender<Utf8Bytes>;

async fn events(State(feed): State<Feed>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // A client that lags misses the events published meanwhile.
    let messages = BroadcastStream::new(feed.subscribe());
    let events =
        messages.filter_map(async |text| Some(Ok(Event::default().data(text.ok()?.as_str()))));
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn ws(State(feed): State<Feed>, upgrade: WebSocketUpgrade) -> Response {
    let messages = feed.subscribe();
    upgrade.on_upgrade(|socket| send_all(socket, messages))
}

async fn send_all(mut socket: WebSocket, mut messages: broadcast::Receiver<Utf8Bytes>) {
    loop {
        tokio::select! {
            text = messages.recv() => match text {
                Ok(text) => {
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            // `recv` answers pings; other messages of clients do not matter here.
            received = socket.recv() => if !matches!(received, Some(Ok(_))) {
                return;
            }
        }
    }
}

async fn publish(State(feed): State<Feed>, text: String) -> StatusCode {
    // An error only means that there is no subscriber.
    let _ = feed.send(text.into());
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() {
    let routes = Router::new()
        .route("/events", get(events))
        .route("/ws", get(ws))
        .route("/publish", post(publish))
        .with_state(broadcast::channel(64).0);
    let port = std::env::var("PORT").expect("PORT");
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.expect("bind");
    axum::serve(listener, routes).await.expect("serve");
}
