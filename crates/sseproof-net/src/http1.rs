//! One exchange over HTTP/1, on a connection of its own or on that of one which is over.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sseproof_http::Version;
use sseproof_record::{Ending, Head, Phase};
use tokio::time::{sleep, timeout};

use crate::exchange::{AFTERMATH, ExchangeContext};
use crate::http2::Origin;
use crate::prepared::Prepared;
use crate::recorder::{Recorder, Traffic};
use crate::tls::words;

/// The connection of an exchange that is over, open for the next one.
#[derive(Clone, Default)]
pub(crate) struct KeptConnection(Arc<Mutex<Option<(Origin, Recorder)>>>);

impl KeptConnection {
    fn lock(&self) -> MutexGuard<'_, Option<(Origin, Recorder)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// The connection, if it leads there.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Recorder> {
        self.lock().take_if(|(to, _)| to == origin).map(|(_, recorder)| recorder)
    }
}

/// Sends the request and reads the response; an error is an end that the bytes do not show.
pub(crate) async fn exchange(
    prepared: &Prepared,
    mut recorder: Recorder,
    context: &ExchangeContext,
) -> Result<(), Ending> {
    recorder.make_room(&context.limits);
    context.shared.change(|progress, _| {
        // HTTP/1 has no windows.
        progress.exchange.transport.window = None;
        progress.begin(&recorder.connection);
    });
    let mut out = prepared.http1();
    let mut head = pin!(sleep(context.limits.head));
    let mut bell = context.shared.bell();
    while !context.shared.lock().ended {
        bell.mark_unchanged();
        let has_head = context.shared.lock().exchange.head.is_some();
        tokio::select! {
            biased;
            traffic = poll_fn(|cx| recorder.poll(cx, &out, !context.shared.lock().stalled)) => {
                heard(traffic, &mut out, &recorder, context)?;
            }
            () = &mut head, if !has_head => return Err(Ending::TimedOut(Phase::Head)),
            // A stalled client may read again.
            _ = bell.changed() => {}
        }
    }
    // Later bytes are kept in the wire, where a rule may find them.
    let more = async {
        while !recorder.is_full() {
            let traffic = poll_fn(|cx| recorder.poll(cx, &[], true)).await;
            let is_more = matches!(traffic, Traffic::Received(_));
            if !is_more || heard(traffic, &mut out, &recorder, context).is_err() {
                break;
            }
        }
    };
    let is_whole = context.shared.lock().exchange.end.how == Ending::Complete;
    let _ = timeout(if is_whole { AFTERMATH } else { Duration::ZERO }, more).await;
    let is_free = is_whole
        && !recorder.is_closed()
        && context.shared.lock().exchange.head.as_ref().is_some_and(is_persistent);
    if let Some(kept) = context.keeps.as_ref().filter(|_| is_free) {
        *kept.lock() = Some((prepared.origin(), recorder));
    }
    Ok(())
}

/// RFC 9112, section 9.3: whether the connection takes another request after this response.
/// After `close` the server may read no more, although its side is still open.
fn is_persistent(head: &Head) -> bool {
    let options = head.headers.list("connection");
    let says = |wanted: &str| options.iter().any(|option| option == wanted);
    !says("close") && (head.version != Version::Http10 || says("keep-alive"))
}

fn heard(
    traffic: Traffic,
    out: &mut Vec<u8>,
    recorder: &Recorder,
    context: &ExchangeContext,
) -> Result<(), Ending> {
    let mut refused = None;
    context.shared.change(|progress, now| match traffic {
        Traffic::Sent(count, kept) => {
            out.drain(..count);
            progress.exchange.phases.sent = Some(now);
            kept.iter().for_each(|chunk| progress.sent(chunk));
        }
        Traffic::Received(chunk) => {
            progress.received(&chunk);
            progress.read(&chunk);
            if recorder.is_full() {
                progress.end_over_limit(now);
            }
        }
        Traffic::Closed(closed) => progress.closed(closed),
        Traffic::Refused(error) if progress.exchange.head.is_none() => {
            refused = Some(Ending::Handshake(words(&error, &[], &[])));
        }
        Traffic::Refused(_) => progress.end(now, Ending::Truncated),
        Traffic::Mute => out.clear(),
    });
    refused.map_or(Ok(()), Err)
}
