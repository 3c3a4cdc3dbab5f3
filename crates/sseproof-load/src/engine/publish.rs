//! Publishes at intended times, over one connection that is kept, or by commands.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sseproof_http::http1::{Body, Piece};
use sseproof_load_model::{Counter, ErrorKind, LoadError, Metric, Rate, schedule};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use super::connect::{Local, connect, secure};
use super::dial::read_head;
use super::socket::Socket;
use super::stream::reading_failed;
use super::worker::Worker;
use crate::clock::nanoseconds;
use crate::stamp::Stamp;
use crate::target::Target;
use crate::wire::head;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    pub number: u64,
    /// The data, with the generator's own stamp in it.
    pub data: String,
}

/// How events are published.
#[derive(Clone)]
pub struct Publisher(How);

#[derive(Clone)]
enum How {
    Requests { to: Box<Target>, making: Arc<Making> },
    Tasks { runtime: Handle, making: Arc<Tasks> },
}

type Making = dyn Fn(&Emission) -> Result<Vec<u8>, String> + Send + Sync;
type Tasks =
    dyn Fn(&Emission) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync;

impl Publisher {
    /// A publisher with these requests to the target, in HTTP/1.1 with headers and body, or the reason
    /// why they are not valid.
    pub fn requests(
        to: Target,
        making: impl Fn(&Emission) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(How::Requests { to: Box::new(to), making: Arc::new(making) })
    }

    /// A publisher by other work, such as a command, which ends in a bounded time, with the reason if
    /// it failed.
    ///
    /// It is done on the runtime of the caller, since to start a process takes a thread a millisecond,
    /// in which the clients of that thread would wait.
    pub fn tasks<F>(making: impl Fn(&Emission) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        let making = move |emission: &Emission| -> Pin<Box<dyn Future<Output = _> + Send>> {
            Box::pin(making(emission))
        };
        Self(How::Tasks { runtime: Handle::current(), making: Arc::new(making) })
    }

    async fn publish(
        &self,
        worker: &Worker,
        emission: &Emission,
        kept: &mut Option<Socket>,
    ) -> Result<(), String> {
        match &self.0 {
            How::Requests { to, making } => send(worker, to, &making(emission)?, kept).await,
            How::Tasks { runtime, making } => {
                // Ends what it has started, if the run is over.
                let mut tasks = JoinSet::new();
                tasks.spawn_on(making(emission), runtime);
                match tasks.join_next().await {
                    Some(Ok(ended)) => ended,
                    Some(Err(error)) => Err(error.to_string()),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Publisher")
    }
}

/// Publishes until it is ended.
///
/// Each event is stamped with its intended time, and one follows the other: if the server accepts
/// them slowly, the latency of later ones includes the wait. The number of a rejected publish is used
/// again: otherwise it would count as lost for every client. An event published before a client's
/// response headers is not expected by that client.
pub(crate) async fn publish(worker: Rc<Worker>) {
    let job = &worker.job;
    let (Some(plan), Some(publisher)) = (&job.plan.publishing, &job.publisher) else { return };
    let rate = Rate::Open { from: plan.rate, to: plan.rate, arrivals: plan.arrivals };
    let forever = std::time::Duration::from_secs(u64::from(u32::MAX));
    let times = schedule::requests(rate, forever, job.plan.seed, schedule::Part::WHOLE);
    let mut connection = None;
    let mut number = 0;
    for (_, at) in times {
        let due = job.start + plan.after + at;
        sleep_until(due).await;
        let stamp = Stamp { at: job.clock.wall(due), n: number, held: None };
        let data = stamp.text(plan.size);
        job.shared.begun.store(number + 1, Ordering::Relaxed);
        let emission = Emission { number, data };
        let sent = publisher.publish(&worker, &emission, &mut connection).await;
        let mut recorder = worker.recorder.borrow_mut();
        match sent {
            Ok(()) => {
                number += 1;
                job.shared.published.store(number, Ordering::Relaxed);
                recorder.count(Counter::Published);
                recorder.time(Metric::Publish, nanoseconds(due.elapsed()));
            }
            Err(message) => {
                connection = None;
                recorder.count(Counter::PublishFailed);
                let text = format!("publish: {message}");
                recorder.error(&LoadError::new(ErrorKind::Publish, text));
            }
        }
    }
}

async fn send(
    worker: &Worker,
    to: &Target,
    request: &[u8],
    kept: &mut Option<Socket>,
) -> Result<(), String> {
    let patience = worker.job.plan.patience;
    if let Some(mut stream) = kept.take()
        && let Ok(Ok(answer)) = timeout(patience, exchange(&mut stream, request)).await
    {
        if answer.keeps {
            *kept = Some(stream);
        }
        return judged(&answer);
    }
    // A kept connection may have been closed; on a new one it is an error of the server.
    let connecting = async {
        let mut stream = connection(to).await?;
        let answer = exchange(&mut stream, request).await?;
        Ok::<_, std::io::Error>((stream, answer))
    };
    let (stream, answer) = timeout(patience, connecting)
        .await
        .map_err(|_| "no answer in time".to_owned())?
        .map_err(|error| reading_failed(&error).to_string())?;
    if answer.keeps {
        *kept = Some(stream);
    }
    judged(&answer)
}

async fn connection(to: &Target) -> std::io::Result<Socket> {
    let socket = connect(to, false, Local::default()).await?;
    if !to.is_secure() {
        return Ok(socket);
    }
    let said = |error| {
        let text = format!("tls: {error}");
        std::io::Error::other(LoadError::new(ErrorKind::Tls, text))
    };
    Ok(Socket::Tls(Box::new(secure(to, socket).await.map_err(said)?)))
}

fn judged(answer: &head::Head) -> Result<(), String> {
    if (200..300).contains(&answer.status) {
        Ok(())
    } else {
        Err(format!("status {}", answer.status))
    }
}

async fn exchange(stream: &mut Socket, request: &[u8]) -> std::io::Result<head::Head> {
    use sseproof_load_model::ErrorKind as Kind;
    use std::io::{Error, ErrorKind};

    stream.write_all(request).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let read = read_head(stream, &mut bytes).await;
    // The answer is the frame that begins an HTTP/2 connection: SETTINGS.
    if read.is_err() && bytes.get(3) == Some(&4) {
        let text = "the server supports only HTTP/2, but publishing uses HTTP/1.1";
        return Err(Error::other(LoadError::new(Kind::Publish, text)));
    }
    let head = read?;
    let mut body = head.body;
    bytes.drain(..head.length);
    loop {
        let mut input = bytes.as_slice();
        loop {
            match body.next(&mut input) {
                Ok(Piece::Payload(_)) => {}
                Ok(Piece::More) => break,
                Err(flaw) if !flaw.is_fatal() => {}
                Ok(Piece::End) => return Ok(head),
                Err(_) => return Err(Error::new(ErrorKind::InvalidData, "no chunks")),
            }
        }
        bytes.clear();
        if stream.read_buf(&mut bytes).await? == 0 {
            return match body {
                Body::UntilClose => Ok(head),
                _ => Err(Error::from(ErrorKind::UnexpectedEof)),
            };
        }
    }
}
