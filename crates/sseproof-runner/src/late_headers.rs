//! One more try at a target that accepts connections and sent no response headers in time.
//!
//! Whether they come at all distinguishes a buffer on the way from a server that is stuck, and the
//! fixes differ.

use std::time::Duration;

use sseproof_files::{Scenario, Target};
use sseproof_net::Client;
use sseproof_record::{Ending, Exchange, Phase};

use super::{Cancel, OnProgress, Results, Stopped, run};

pub(super) async fn run_last(
    probe: &Scenario,
    results: &mut Results,
    target: &Target,
    client: &Client,
    on_progress: OnProgress<'_>,
    cancel: Cancel<'_>,
) {
    if !is_held_back(results) {
        return;
    }
    let patience = probe.probe.as_ref().and_then(|options| options.patience);
    let mut limits = client.limits();
    limits.head = limits.head.max(patience.map_or(Duration::ZERO, |patience| patience.0));
    let patient = client.with_limits(limits);
    let first = results.transcript.exchanges.len() + 1;
    let outcome = run(probe, target, &patient, first, on_progress, cancel).await;
    if outcome.stopped.is_some() {
        results.stopped = outcome.stopped;
    } else if let Some(took) = outcome.exchanges.iter().find_map(time_to_head) {
        results.stopped = Some(Stopped::LateHead(took));
    }
    results.transcript.exchanges.extend(outcome.exchanges);
    results.transcript.run_events.extend(outcome.run_events);
}

/// Whether the server accepts connections and sends no response headers in the usual time.
fn is_held_back(results: &Results) -> bool {
    let timed_out = |exchange: &Exchange| exchange.end.how == Ending::TimedOut(Phase::Head);
    matches!(results.stopped, Some(Stopped::NoStream(_)))
        && results.transcript.exchanges.iter().all(timed_out)
}

fn time_to_head(exchange: &Exchange) -> Option<Duration> {
    let head = exchange.head.as_ref().filter(|_| exchange.is_stream())?;
    Some(head.at.saturating_sub(exchange.phases.sent.unwrap_or(exchange.started)))
}
