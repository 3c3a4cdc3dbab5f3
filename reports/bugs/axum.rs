use std::convert::Infallible;

use axum::Router;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::get;
use futures_util::stream;

#[tokio::main]
async fn main() {
    let events = async || {
        let texts = ["a\r\nb", "", "after"];
        Sse::new(stream::iter(texts.map(|text| Ok::<_, Infallible>(Event::default().data(text)))))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await.unwrap();
    axum::serve(listener, Router::new().route("/", get(events))).await.unwrap();
}
