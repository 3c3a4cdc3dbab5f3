//! The first events of a stream, read before a run to find where they have a stamp and a number.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use sseproof_codec::Decoder;
use sseproof_http::http1::Body;
use sseproof_load_model::{Plan, Transport};
use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout_at};

use super::dial::{Dialled, Sent, dial};
use super::worker::Worker;
use super::{Job, local};
use crate::found::{FEWEST, FirstEvent};
use crate::wire::content;
use crate::wire::inflate::Gzip;
use crate::wire::websocket::{Frame, Reader};
use crate::{Clock, Target};

/// How long it is read, if enough events come; a second shows whether stamps run as a clock does.
const SHORT: Duration = Duration::from_secs(1);
/// How long it is read at most: an event per second gives enough of them.
const LONG: Duration = Duration::from_secs(5);
const MOST: usize = 64;

/// The first events that the first client would get; none if it gets no stream, which the run itself
/// reports.
pub async fn first_events(plan: &Plan, target: Target) -> Vec<FirstEvent> {
    let (plan, clock, start) = (plan.clone(), Clock::now(), Instant::now());
    let reading = tokio::task::spawn_blocking(move || {
        let shared = Arc::default();
        let job = Job { plan, target, publisher: None, clock, start, shared };
        local().map(|runtime| runtime.block_on(read(Worker::new(Arc::new(job)))))
    });
    reading.await.ok().and_then(Result::ok).unwrap_or_default()
}

async fn read(worker: Rc<Worker>) -> Vec<FirstEvent> {
    let begun = Instant::now();
    let mut events = Vec::new();
    let sent = Sent::default();
    let dialling = dial(&worker, 0, "", begun, &sent);
    let Ok(Ok(dialled)) = timeout_at(begun + LONG, dialling).await else { return events };
    let Dialled { mut socket, head, mut rest, answered, agreed, .. } = dialled;
    let mut stream = match worker.job.target.transport {
        Transport::Sse => Reading::Events(head.body, head.gzip(), Box::default()),
        Transport::WebSocket => Reading::Messages(Reader::new(agreed)),
    };
    loop {
        let now = worker.job.clock.wall(Instant::now());
        let is_over = stream.take(&rest, |id, data| {
            if events.len() < MOST {
                events.push(FirstEvent { at: now, id: id.to_owned(), data: data.to_owned() });
            }
        });
        let until = answered + if events.len() < FEWEST { LONG } else { SHORT };
        rest.clear();
        match timeout_at(until, socket.read_buf(&mut rest)).await {
            Ok(Ok(1..)) if !is_over => {}
            _ => return events,
        }
    }
}

enum Reading {
    Events(Body, Option<Box<Gzip>>, Box<Decoder>),
    Messages(Reader),
}

impl Reading {
    /// Passes on the id and the data of each event in these bytes; whether the stream is over.
    fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&str, &str)) -> bool {
        match self {
            Self::Events(body, gzip, decoder) => {
                let read = content::events(body, gzip.as_deref_mut(), decoder, bytes, |event| {
                    let id = if event.sets_id { event.last_event_id.as_ref() } else { "" };
                    each(id, event.data.as_ref());
                });
                read.unwrap_or(true)
            }
            Self::Messages(reader) => {
                let mut is_closed = false;
                let fed = reader.feed(bytes, |frame| match frame {
                    Frame::Message(data) => {
                        each("", std::str::from_utf8(data).unwrap_or_default());
                    }
                    Frame::Close(_) => is_closed = true,
                    Frame::Ping(_) | Frame::Pong => {}
                });
                is_closed || fed.is_err()
            }
        }
    }
}
