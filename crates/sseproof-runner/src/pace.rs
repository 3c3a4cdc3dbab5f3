//! How fast a server serves a client that has at most one other beside it, as the control of probes
//! that are played side by side.

use std::time::Duration;

use sseproof_codec::{Item, decode};
use sseproof_record::{Ending, Exchange};

/// A stream may be that much slower beside others, in percent of the time.
const SLACK: u32 = 60;

pub(super) struct Pace {
    /// When each event of the first stream arrived, since its response headers.
    arrivals: Vec<Duration>,
    /// How long the server kept it open, at least.
    open: Duration,
    /// Whether the server ended it.
    ends: bool,
}

impl Pace {
    /// The pace of the first of these exchanges; `None` if not all got a stream.
    pub(super) fn of(exchanges: &[Exchange]) -> Option<Self> {
        let first = exchanges.first()?;
        let all = exchanges.len() > 1 && exchanges.iter().all(Exchange::is_stream);
        all.then(|| Self {
            arrivals: arrivals(first),
            open: open(first),
            ends: first.end.how.is_servers(),
        })
    }

    /// Whether the exchange shows no sign of a server that has too much to do: no response or an
    /// error, no stream, one that ends early, or fewer events than at this pace.
    pub(super) fn is_kept(&self, exchange: &Exchange) -> bool {
        let Some(status) = exchange.status() else { return false };
        // Other methods get no stream, and one with a small window is slow in any case.
        if exchange.request.method == "HEAD" || exchange.transport.window.is_some() {
            return status < 500;
        }
        if !exchange.is_stream() {
            let has_stream = matches!(&*exchange.request.method, "GET" | "POST");
            return !has_stream && status < 500;
        }
        match exchange.end.how {
            Ending::OverLimit(_) => true,
            Ending::Complete => self.ends || open(exchange) >= self.open,
            Ending::Disconnected => {
                let open = open(exchange) * SLACK / 100;
                let expected = self.arrivals.iter().filter(|at| **at <= open).count();
                arrivals(exchange).len() >= expected
            }
            _ => false,
        }
    }
}

fn open(exchange: &Exchange) -> Duration {
    exchange.end.at.saturating_sub(begin(exchange))
}

/// When each event arrived, since the response headers.
fn arrivals(exchange: &Exchange) -> Vec<Duration> {
    let mut received = 0;
    let mut pieces = exchange.body.iter().peekable();
    let items = decode(&exchange.body_bytes());
    let ends = items.iter().filter_map(|item| match item {
        Item::Event(event) => Some(event.span.end),
        _ => None,
    });
    ends.map(|end| {
        while let Some(piece) = pieces.next_if(|piece| received + (piece.bytes.len() as u64) < end)
        {
            received += piece.bytes.len() as u64;
        }
        let at = pieces.peek().map_or(exchange.end.at, |piece| piece.at);
        at.saturating_sub(begin(exchange))
    })
    .collect()
}

fn begin(exchange: &Exchange) -> Duration {
    exchange.head.as_ref().map_or(exchange.started, |head| head.at)
}
