//! Routes requests.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tungstenite::handshake::derive_accept_key;

use super::chat::Chat;
use super::event::Framing;
use super::hub::{Hub, Opening};
use super::packer::Packer;
use super::query::{Mistake, Settings, published_topic};
use super::request::{Answer, Request, Talk, stream_head};
use super::socket::Socket;
use crate::wire::permessage;

const USAGE: &str = include_str!("usage.txt");

const LARGEST_BODY: usize = 1 << 20;

/// A client, as a task. It is written by hand, since an `async` block would keep the memory of the
/// requests as long as the stream lasts.
pub(super) struct Client {
    hub: Rc<Hub>,
    phase: Phase,
}

enum Phase {
    /// It requests; this memory is freed when the stream begins.
    Asking(Pin<Box<dyn Future<Output = Option<u32>>>>),
    /// It has a stream, which the hub keeps under this key.
    Listening(u32),
}

impl Client {
    pub(super) fn new(hub: &Rc<Hub>, socket: Socket) -> Self {
        let asking = Box::pin(ask(Rc::clone(hub), socket));
        Self { hub: Rc::clone(hub), phase: Phase::Asking(asking) }
    }
}

impl Future for Client {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Phase::Asking(asking) = &mut self.phase {
            let Some(key) = ready!(asking.as_mut().poll(cx)) else { return Poll::Ready(()) };
            self.phase = Phase::Listening(key);
        }
        let Phase::Listening(key) = self.phase else { return Poll::Ready(()) };
        self.hub.poll_client(key, cx)
    }
}

enum Next {
    Answer(Answer),
    Stream(Settings, Framing, Option<Box<Packer>>, String),
    Chat(Chat),
}

/// Answers requests until one opens a stream, and returns its key.
async fn ask(hub: Rc<Hub>, socket: Socket) -> Option<u32> {
    let mut talk = Talk::new(socket, &hub.scratch);
    loop {
        let request = match talk.request().await.ok()?? {
            Ok(request) => request,
            Err(wrong) => {
                let answer = Answer::text("400 Bad Request", wrong);
                talk.write(&answer.write(false, false)).await.ok()?;
                talk.farewell().await;
                return None;
            }
        };
        let next = match body(&mut talk, &request).await? {
            Ok(body) => route(&hub, &request, body),
            Err(answer) => Next::Answer(answer),
        };
        match next {
            Next::Answer(answer) => {
                let keeps = request.keeps && !request.chunked && request.length <= LARGEST_BODY;
                let head_only = request.method == "HEAD";
                talk.write(&answer.write(head_only, keeps)).await.ok()?;
                if !keeps {
                    talk.farewell().await;
                    return None;
                }
            }
            Next::Chat(chat) => {
                let keeps = request.keeps && request.modern;
                hub.count_open(true);
                let answered = chat.answer(&mut talk, request.modern, keeps).await;
                hub.count_open(false);
                answered.ok()?;
                if !keeps {
                    talk.farewell().await;
                    return None;
                }
            }
            Next::Stream(_, _, _, head) if request.method == "HEAD" => {
                talk.write(head.as_bytes()).await.ok()?;
                if !request.keeps {
                    return None;
                }
            }
            Next::Stream(settings, framing, packer, head) => {
                let opening = Opening {
                    settings: Rc::new(settings),
                    framing,
                    packer,
                    head: head.as_bytes(),
                    last_event_id: request.last_event_id.as_deref(),
                };
                return Some(hub.open(talk.socket, opening));
            }
        }
    }
}

/// The body of the request, or why it is not read; `None` if the client has disconnected.
async fn body(talk: &mut Talk<'_>, request: &Request) -> Option<Result<Vec<u8>, Answer>> {
    if request.chunked {
        let why = "the body must have a Content-Length; chunked bodies are not accepted";
        return Some(Err(Answer::text("411 Length Required", why)));
    }
    if request.length > LARGEST_BODY {
        let why =
            format!("the body has {} bytes; at most {LARGEST_BODY} are accepted", request.length);
        return Some(Err(Answer::text("413 Content Too Large", why)));
    }
    if request.expects && request.length > 0 {
        talk.write(b"HTTP/1.1 100 Continue\r\n\r\n").await.ok()?;
    }
    talk.body(request.length).await.ok().map(Ok)
}

fn route(hub: &Rc<Hub>, request: &Request, body: Vec<u8>) -> Next {
    match (request.path.as_str(), request.method.as_str()) {
        ("/", "GET" | "HEAD") => Next::Answer(Answer::text("200 OK", USAGE.trim_end())),
        ("/events", "GET" | "HEAD") => events(request),
        ("/ws", "GET") => web_socket(request),
        ("/publish", "POST") => Next::Answer(publish(hub, request, body)),
        ("/connections", "GET" | "HEAD") => {
            Next::Answer(Answer::text("200 OK", hub.open_streams().to_string()))
        }
        ("/" | "/events" | "/connections", _) => Next::Answer(wrong_method("Allow: GET, HEAD\r\n")),
        ("/ws", _) => Next::Answer(wrong_method("Allow: GET\r\n")),
        ("/chat" | "/v1/chat/completions", "POST") => {
            Chat::new(&request.query, &body, hub.number()).map_or_else(Next::Answer, Next::Chat)
        }
        ("/publish" | "/chat" | "/v1/chat/completions", _) => {
            Next::Answer(wrong_method("Allow: POST\r\n"))
        }
        _ => Next::Answer(Answer::text("404 Not Found", "not found; GET / lists the paths")),
    }
}

fn wrong_method(allow: &'static str) -> Answer {
    let words = allow.trim_end().replace("Allow: ", "allowed: ");
    Answer::text("405 Method Not Allowed", words).with(allow)
}

fn mistaken(mistake: &Mistake) -> Answer {
    Answer::text("400 Bad Request", mistake.to_string())
}

fn events(request: &Request) -> Next {
    let settings = match Settings::parse(&request.query) {
        Ok(settings) => settings,
        Err(mistake) => return Next::Answer(mistaken(&mistake)),
    };
    let framing = if request.modern { Framing::Chunks } else { Framing::Plain };
    let head = stream_head(framing, request.keeps, request.gzip);
    Next::Stream(settings, framing, request.gzip.then(Packer::gzip), head)
}

fn web_socket(request: &Request) -> Next {
    let Some(key) = &request.web_socket else {
        let answer = Answer::text(
            "426 Upgrade Required",
            "this path serves WebSockets (version 13); Server-Sent Events are at /events",
        );
        let fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        return Next::Answer(answer.with(fields));
    };
    match Settings::parse(&request.query) {
        Ok(settings) => {
            let (agreed, answer) = permessage::accepted(&request.extensions).unzip();
            let answer = answer.map(|answer| format!("Sec-WebSocket-Extensions: {answer}\r\n"));
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{}Sec-WebSocket-Accept: {}\r\n\r\n",
                answer.unwrap_or_default(),
                derive_accept_key(key.as_bytes())
            );
            Next::Stream(settings, Framing::Frames, agreed.map(Packer::messages), head)
        }
        Err(mistake) => Next::Answer(mistaken(&mistake)),
    }
}

fn publish(hub: &Rc<Hub>, request: &Request, body: Vec<u8>) -> Answer {
    let topic = match published_topic(&request.query) {
        Ok(topic) => topic,
        Err(mistake) => return mistaken(&mistake),
    };
    let Ok(data) = String::from_utf8(body) else {
        return Answer::text(
            "400 Bad Request",
            "the body is not valid UTF-8, which an event must be",
        );
    };
    match hub.publish(&topic, data) {
        Ok(subscribers) => Answer::json("200 OK", format!("{{\"subscribers\":{subscribers}}}")),
        Err(error) => {
            Answer::text("400 Bad Request", format!("the body does not fit into an event: {error}"))
        }
    }
}
