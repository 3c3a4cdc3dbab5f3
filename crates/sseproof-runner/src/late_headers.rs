//! One more try at a target that takes connections and whose head did not come in the usual time.
//!
//! A head that comes in the end tells a buffer on the way from a server that never answers.

use std::time::Duration;

use sseproof_files::{Scenario, TargetConfig};
use sseproof_net::Client;
use sseproof_record::{Ending, Exchange, Phase};

use super::{Cancel, OnProgress, Results, Stopped, run};

/// Plays the probe that finds late headers, if it can find any.
pub(super) async fn run_last(
    probe: &Scenario,
    results: &mut Results,
    target: &TargetConfig,
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

/// Whether the server takes connections and sends no head in the usual time.
fn is_held_back(results: &Results) -> bool {
    let in_vain = |exchange: &Exchange| exchange.end.how == Ending::TimedOut(Phase::Head);
    matches!(results.stopped, Some(Stopped::NoStream(_)))
        && results.transcript.exchanges.iter().all(in_vain)
}

/// How long the head of a stream took.
fn time_to_head(exchange: &Exchange) -> Option<Duration> {
    let head = exchange.head.as_ref().filter(|_| exchange.is_stream())?;
    Some(head.at.saturating_sub(exchange.phases.sent.unwrap_or(exchange.started)))
}
