//! Plays scenarios against a target, and keeps what crossed the wire.
//!
//! A step only decides when to dial, read, drop, publish and expect.
//! Whatever happens, every exchange that was begun is in the outcome: also those of a run that was
//! cancelled half way.

mod command;
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
use sseproof_files::{Scenario, TargetConfig};
use sseproof_net::Client;
use sseproof_record::{Ending, Exchange, RunEvent, Target, Transcript};

use self::scenario_run::ScenarioRun;

/// What one scenario came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The exchanges, in the order in which they were begun, numbered on from the given number.
    pub exchanges: Vec<Exchange>,
    /// What was done to the server, or read of it, besides.
    pub run_events: Vec<RunEvent>,
    /// What did not hold. A scenario stops at its first failure.
    pub failures: Vec<StepFailure>,
    /// Why the run as a whole has to stop.
    pub stopped: Option<Stopped>,
}

/// What several scenarios came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Everything that crossed the wire.
    pub transcript: Transcript,
    /// What did not hold.
    pub failures: Vec<StepFailure>,
    /// Why not every scenario was played to its end.
    pub stopped: Option<Stopped>,
    /// The scenarios that were not begun, by their ids.
    pub left_out: Vec<String>,
}

/// Why a run stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stopped {
    /// The very first exchange found nobody: with the reason.
    Unreachable(String),
    /// The probe that finds the stream saw none, or one without end and without an event, so that
    /// no other probe can see one: with what it saw. Scenarios that are not probes were played all
    /// the same.
    NoStream(String),
    /// The server was there, and then it was not: with what the last exchange found.
    Lost(String),
    /// The response headers of the stream came only after this time; only the probes that find
    /// streams and late headers were played.
    LateHead(Duration),
    /// Whoever started the run stopped it.
    Cancelled,
}

/// A step that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFailure {
    /// Whose fault it is.
    pub kind: FailureKind,
    /// The id of the scenario.
    pub scenario: String,
    /// Its file.
    pub file: String,
    /// Where the step begins: the line, from 1.
    pub line: usize,
    /// Where the step begins: the column, from 1.
    pub column: usize,
    /// The step, as it is written.
    pub step: String,
    /// What was expected and did not come: a sentence without capital and full stop.
    pub message: String,
    /// What was seen instead, one line each: the last few things in the stream, and its state.
    pub seen: Vec<String>,
    /// The number of the exchange that it is about.
    pub exchange: Option<usize>,
    /// What the scenario calls it.
    pub connection: Option<String>,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The target did something else than was expected.
    Unmet,
    /// The scenario asks for what cannot be done: a request that HTTP has no form for, a command
    /// that is not there.
    Impossible,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progressed<'p> {
    /// A scenario begins.
    Begins(&'p Scenario),
    /// A step begins, in this line of the scenario's file.
    Step(&'p Scenario, usize),
    /// A scenario ended, with the failures that it had.
    Ends(&'p Scenario, &'p [StepFailure]),
    /// What it came to is kept in the transcript, behind all that was before.
    Kept(&'p Transcript),
}

/// Hears how far a run has come.
pub type OnProgress<'p> = &'p mut (dyn FnMut(Progressed<'_>) + Send);

/// Completes when the run is to be stopped: Ctrl-C, a time limit.
pub type Cancel<'c> = Pin<&'c mut (dyn Future<Output = ()> + Send)>;

/// Plays one scenario; its first exchange gets the number `first`.
pub async fn run(
    scenario: &Scenario,
    target: &TargetConfig,
    client: &Client,
    first: usize,
    on_progress: OnProgress<'_>,
    cancel: Cancel<'_>,
) -> Outcome {
    on_progress(Progressed::Begins(scenario));
    let mut session = ScenarioRun::new(scenario, target, client, first, &mut *on_progress);
    let stop = tokio::select! {
        biased;
        () = cancel => Some(play::Stop::Run(Stopped::Cancelled)),
        played = session.play() => played.err(),
    };
    let (exchanges, run_events) = session.finish().await;
    let mut outcome = Outcome { exchanges, run_events, ..Outcome::default() };
    match stop {
        Some(play::Stop::Step(failure)) => outcome.failures.push(*failure),
        Some(play::Stop::Run(stopped)) => outcome.stopped = Some(stopped),
        None => {}
    }
    on_progress(Progressed::Ends(scenario, &outcome.failures));
    outcome
}

/// Plays the scenarios one after the other, into one transcript; last the one that finds late
/// headers, if none came in the usual time.
///
/// `started` is the time at which the run started, RFC 3339, for the transcript.
pub async fn run_all(
    scenarios: &[&Scenario],
    target: &TargetConfig,
    client: &Client,
    started: &str,
    on_progress: OnProgress<'_>,
    mut cancel: Cancel<'_>,
) -> Results {
    let mut results = Results::default();
    results.transcript.target = Target {
        url: target.url.clone(),
        method: target.method.clone(),
        profile: target.profile.clone(),
    };
    results.transcript.started = started.to_owned();
    let mut target = target.clone();
    let mut is_proxy_mute = false;
    let is_patient = |scenario: &&&Scenario| scenario.purpose() == Purpose::FindLateHeaders;
    for scenario in scenarios.iter().filter(|scenario| !is_patient(scenario)) {
        let pointless = scenario.is_probe() && results.stopped.is_some();
        let over = matches!(
            &results.stopped,
            Some(Stopped::Unreachable(_) | Stopped::Lost(_) | Stopped::Cancelled)
        );
        if pointless || over {
            results.left_out.push(scenario.id.clone());
            continue;
        }
        // A proxy that answered nobody would only be waited for, again and again.
        if is_proxy_mute && scenario.is_probe() && scenario.needs(Need::Via) {
            continue;
        }
        let first = results.transcript.exchanges.len() + 1;
        let outcome =
            run(scenario, &target, client, first, &mut *on_progress, cancel.as_mut()).await;
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
        on_progress(Progressed::Kept(&results.transcript));
    }
    // A server that falls at the very end proves no more than one that falls before.
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

/// Whether no stream was seen that the other probes could work with.
fn no_stream(exchanges: &[Exchange]) -> Option<Stopped> {
    let first = exchanges.first()?;
    if !exchanges.iter().any(Exchange::is_stream) {
        return Some(Stopped::NoStream(evidence::answer(first)));
    }
    evidence::flood(exchanges).map(Stopped::NoStream)
}

/// Whether what the run published came to the stream: it was silent before.
fn is_fed(exchange: &Exchange) -> bool {
    let body = exchange.body_bytes();
    exchange.published.iter().any(|one| {
        let data = one.data.as_bytes();
        body.windows(data.len().max(1)).any(|window| window == data)
    })
}

/// Whether the proxy was asked, and answered nobody.
fn is_mute(exchanges: &[Exchange]) -> bool {
    let mut asked = exchanges.iter().filter(|exchange| exchange.via).peekable();
    asked.peek().is_some() && asked.all(|exchange| exchange.head.is_none())
}

/// Whether every one of these exchanges found nobody; that nobody is at the proxy says nothing of
/// the server.
fn lost(exchanges: &[Exchange]) -> Option<Stopped> {
    let last = exchanges.iter().rfind(|exchange| !exchange.via)?;
    let nobody = |exchange: &Exchange| {
        matches!(
            exchange.end.how,
            Ending::Unresolved(_) | Ending::Unconnected(_) | Ending::Handshake(_)
        )
    };
    let all = exchanges.iter().filter(|exchange| !exchange.via).all(nobody);
    all.then(|| Stopped::Lost(evidence::answer(last)))
}
