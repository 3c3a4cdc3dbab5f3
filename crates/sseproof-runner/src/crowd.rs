//! Streams that are open at the same time, until the server serves no more.

use std::time::Duration;

use sseproof_files::model::Crowd;
use sseproof_http::Request;
use sseproof_net::{Client, Leave, Live};
use sseproof_record::RunEventKind;
use tokio::time::Instant;

use super::play::Stop;
use super::scenario_run::ScenarioRun;

/// How many streams are open after each part.
const SIZES: [usize; 4] = [8, 16, 32, 64];
/// The default time limit for the response headers of one part.
const WITHIN: Duration = Duration::from_secs(2);

impl ScenarioRun<'_> {
    pub(super) async fn crowd(&mut self, step: &Crowd) -> Result<(), Stop> {
        let within = step.within.map_or(WITHIN, |within| within.0);
        let request = self.subscription();
        let at = self.client.now();
        let mut lives: Vec<Live> = Vec::new();
        for size in SIZES {
            while lives.len() < size {
                let Ok(live) = self.client.open(request.clone()) else { return Ok(()) };
                lives.push(live);
            }
            answered_all(&mut lives, within).await;
            if !lives.iter().all(is_stream) {
                break;
            }
        }
        let open = lives.iter().filter(|live| is_stream(live)).count();
        let asked = lives.len();
        let is_waiting =
            |live: &Live| live.look(|progress| !progress.ended && progress.exchange.head.is_none());
        let waiting = lives.iter().filter(|live| is_waiting(live)).count();
        let refused = lives.iter().find_map(|live| {
            live.look(|progress| progress.exchange.status()).filter(|status| *status != 200)
        });
        let (mut beside_us, mut freed) = (None, false);
        if waiting > 0 {
            let root = match request.url.strip_suffix(request.target()) {
                Some(origin) => format!("{origin}/"),
                None => request.url.clone(),
            };
            beside_us = answered(self.client, Request::subscribe(root), within).await;
            // Fewer streams are open, and no request waits before the next one.
            let (mut served, waiting): (Vec<_>, Vec<_>) = lives.into_iter().partition(is_stream);
            for live in waiting.into_iter().chain(served.pop()) {
                live.leave(Leave::Fin).await;
            }
            freed = answered(self.client, request, within).await.is_some();
            lives = served;
        }
        for live in lives {
            live.leave(Leave::Fin).await;
        }
        let what = RunEventKind::Crowded {
            asked: asked as u64,
            streams: open as u64,
            waiting: waiting as u64,
            refused,
            beside_us,
            freed,
        };
        self.record_event(at, "", what);
        Ok(())
    }
}

/// Waits until each has its response headers or is over.
async fn answered_all(lives: &mut [Live], within: Duration) {
    let deadline = Instant::now() + within;
    for live in lives {
        let rest = deadline.saturating_duration_since(Instant::now());
        live.wait(rest, |progress| progress.exchange.head.is_some()).await;
    }
}

fn is_stream(live: &Live) -> bool {
    live.look(|progress| progress.exchange.is_stream())
}

/// How long the response headers of a request take, in microseconds, if they arrive in time.
async fn answered(client: &Client, request: Request, within: Duration) -> Option<u64> {
    let begun = Instant::now();
    let mut live = client.open(request).ok()?;
    live.wait(within, |progress| progress.exchange.head.is_some()).await;
    let took = u64::try_from(begun.elapsed().as_micros()).ok();
    live.leave(Leave::Fin).await.head.and(took)
}
