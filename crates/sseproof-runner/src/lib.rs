//! Plays scenarios against a target, and records all bytes on the wire.
//!
//! A step only decides when to dial, read, drop, publish and expect.
//! Every exchange that was begun is in the outcome, also if the run was cancelled.

mod command;
mod crowd;
mod dangerous;
mod emit;
mod evidence;
mod expect;
mod expectation;
mod gauge;
mod generated;
mod late_headers;
mod load;
mod payloads;
mod play;
mod reconnect;
mod restart;
mod scenario_run;
mod search;
mod steps;
mod tracked;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sseproof_files::model::{Need, Purpose};
use sseproof_files::{Scenario, Target};
use sseproof_net::{Client, Limits};
use sseproof_record::{Ending, Exchange, RunEvent, Transcript};

use self::scenario_run::ScenarioRun;

/// The most memory of a stream with many events, in bytes.
pub const ENOUGH_BYTES: u64 = 512 << 10;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exchanges in the order in which they began, numbered from the given number on.
    pub exchanges: Vec<Exchange>,
    pub run_events: Vec<RunEvent>,
    pub failures: Vec<StepFailure>,
    pub stopped: Option<Stopped>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    pub transcript: Transcript,
    pub failures: Vec<StepFailure>,
    pub stopped: Option<Stopped>,
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// The first exchange reached no server: with the reason.
    Unreachable(String),
    /// The probe that finds the stream got none, or one without end and without an event, so that
    /// the other probes are of no use: with the response that it got. The user's scenarios were
    /// played.
    NoStream(String),
    /// The server could no longer be reached: with the result of the last exchange.
    Lost(String),
    /// The response headers of the stream came only after this time; only the probes that find
    /// streams and late headers were played.
    LateHead(Duration),
    /// All responses together took more memory than the client may use
    /// ([`Limits::run_bytes`](sseproof_net::Limits)).
    TooMuch(u64),
    Cancelled,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFailure {
    pub kind: FailureKind,
    pub scenario: String,
    pub file: String,
    /// The line in which the step begins, from 1.
    pub line: usize,
    /// The column in which the step begins, from 1.
    pub column: usize,
    pub step: String,
    /// The expectation that was not met: a sentence without capital and full stop.
    pub message: String,
    /// The evidence, one line each: the last items of the stream, and its state.
    pub seen: Vec<String>,
    pub exchange: Option<usize>,
    pub connection: Option<String>,
}

/// Whether the target or the scenario is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    Unmet,
    /// The step cannot be executed: a request that HTTP cannot express, a missing command.
    Impossible,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RunProgress<'p> {
    Begins(&'p Scenario),
    Step(&'p Scenario, usize),
    Ends(&'p Scenario, &'p [StepFailure]),
    Kept(&'p Transcript),
}

pub type OnProgress<'p> = &'p mut (dyn FnMut(RunProgress<'_>) + Send);

/// Completes when the run is to be stopped: Ctrl-C, a time limit.
pub type Cancel<'c> = Pin<&'c mut (dyn Future<Output = ()> + Send)>;

pub async fn run(
    scenario: &Scenario,
    target: &Target,
    client: &Client,
    first: usize,
    on_progress: OnProgress<'_>,
    cancel: Cancel<'_>,
) -> Outcome {
    on_progress(RunProgress::Begins(scenario));
    let client = client.with_limits(Limits { enough: enough(scenario), ..client.limits() });
    let mut scenario_run = ScenarioRun::new(scenario, target, &client, first, &mut *on_progress);
    let stop = tokio::select! {
        biased;
        () = cancel => Some(play::Stop::Run(Stopped::Cancelled)),
        played = scenario_run.play() => played.err(),
    };
    let (exchanges, run_events) = scenario_run.finish().await;
    let mut outcome = Outcome { exchanges, run_events, ..Outcome::default() };
    match stop {
        Some(play::Stop::Step(failure)) => outcome.failures.push(*failure),
        Some(play::Stop::Run(stopped)) => outcome.stopped = Some(stopped),
        None => {}
    }
    on_progress(RunProgress::Ends(scenario, &outcome.failures));
    outcome
}

/// How much of a stream a scenario reads. A probe that publishes nothing looks for no certain event:
/// a server that sends many takes no more memory than others.
fn enough(scenario: &Scenario) -> Option<u64> {
    (scenario.is_probe() && !scenario.needs(Need::Publish)).then_some(ENOUGH_BYTES)
}

/// Plays the scenarios one after the other, into one transcript; last those probes that end the
/// server, and the one that finds late headers, if none came in the usual time.
///
/// `started` is the time at which the run started, RFC 3339, for the transcript.
pub async fn run_all(
    scenarios: &[&Scenario],
    target: &Target,
    client: &Client,
    started: &str,
    on_progress: OnProgress<'_>,
    mut cancel: Cancel<'_>,
) -> Results {
    let mut results = Results::default();
    results.transcript.target = sseproof_record::Target {
        url: target.url.clone(),
        method: target.method.clone(),
        profile: target.profile.clone(),
    };
    results.transcript.started = started.to_owned();
    let mut target = target.clone();
    let mut is_proxy_mute = false;
    let is_patient = |scenario: &&&Scenario| scenario.purpose() == Purpose::FindLateHeaders;
    // A probe that ends the server comes after the user's scenarios, too.
    let (last, others): (Vec<&&Scenario>, Vec<_>) = scenarios
        .iter()
        .filter(|scenario| !is_patient(scenario))
        .partition(|scenario| scenario.is_probe() && scenario.needs(Need::Start));
    for scenario in others.into_iter().chain(last) {
        let pointless = scenario.is_probe() && results.stopped.is_some();
        let over = matches!(
            &results.stopped,
            Some(
                Stopped::Unreachable(_)
                    | Stopped::Lost(_)
                    | Stopped::TooMuch(_)
                    | Stopped::Cancelled
            )
        );
        if pointless || over {
            results.left_out.push(scenario.id.clone());
            continue;
        }
        // Waiting again for a proxy that did not respond would only take time.
        if is_proxy_mute && scenario.is_probe() && scenario.needs(Need::Via) {
            continue;
        }
        let first = results.transcript.exchanges.len() + 1;
        let mut outcome =
            run(scenario, &target, client, first, &mut *on_progress, cancel.as_mut()).await;
        if client.is_spent() {
            // The client has stopped reading: what it did not see is not the server's fault.
            outcome.failures.clear();
            results.left_out.push(scenario.id.clone());
        }
        if outcome.stopped.is_some() {
            results.stopped = outcome.stopped;
        } else if scenario.is_probe() {
            let exchanges = outcome.exchanges.as_slice();
            let finds = scenario.purpose() == Purpose::FindStream;
            let stopped = if finds { no_stream(exchanges) } else { None };
            target.is_silent |= finds && exchanges.iter().any(is_fed);
            results.stopped = stopped.or_else(|| lost(exchanges)).or(results.stopped);
            is_proxy_mute |= is_mute(exchanges);
        }
        results.transcript.exchanges.extend(outcome.exchanges);
        results.transcript.run_events.extend(outcome.run_events);
        results.failures.extend(outcome.failures);
        if client.is_spent() && results.stopped.is_none() {
            results.stopped = Some(Stopped::TooMuch(client.limits().run_bytes));
        }
        on_progress(RunProgress::Kept(&results.transcript));
    }
    // Also if the server was lost only at the very end.
    if results.stopped.is_none()
        && let Some(last) = results.transcript.exchanges.last()
        && last.judged
    {
        results.stopped = lost(std::slice::from_ref(last));
    }
    if let Some(probe) = scenarios.iter().find(is_patient) {
        late_headers::run_last(probe, &mut results, &target, client, on_progress, cancel).await;
    }
    results
}

fn no_stream(exchanges: &[Exchange]) -> Option<Stopped> {
    let first = exchanges.first()?;
    if !exchanges.iter().any(Exchange::is_stream) {
        return Some(Stopped::NoStream(evidence::answer(first)));
    }
    evidence::flood(exchanges).map(Stopped::NoStream)
}

/// Whether events that the run published arrived in the stream, which was silent before.
fn is_fed(exchange: &Exchange) -> bool {
    let body = exchange.body_bytes();
    exchange.published.iter().any(|one| {
        let data = one.data.as_bytes();
        body.windows(data.len().max(1)).any(|window| window == data)
    })
}

/// Whether requests went through the proxy, and none got a response.
fn is_mute(exchanges: &[Exchange]) -> bool {
    let mut asked = exchanges.iter().filter(|exchange| exchange.via).peekable();
    asked.peek().is_some() && asked.all(|exchange| exchange.head.is_none())
}

/// The reason to stop if none of these exchanges reached the server. Exchanges through the proxy do
/// not count: an unreachable proxy proves nothing about the server.
fn lost(exchanges: &[Exchange]) -> Option<Stopped> {
    let last = exchanges.iter().rfind(|exchange| !exchange.via)?;
    let unreached = |exchange: &Exchange| {
        matches!(
            exchange.end.how,
            Ending::Unresolved(_) | Ending::Unconnected(_) | Ending::Handshake(_)
        )
    };
    let all = exchanges.iter().filter(|exchange| !exchange.via).all(unreached);
    all.then(|| Stopped::Lost(evidence::answer(last)))
}
