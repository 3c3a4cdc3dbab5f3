//! Plays scenarios against a target, and records all bytes on the wire.
//!
//! A step only decides when to dial, read, drop, publish and expect.
//! Every exchange that was begun is in the outcome, also if the run was cancelled.

mod command;
mod company;
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
mod pace;
mod payloads;
mod play;
mod reconnect;
mod restart;
mod scenario_run;
mod search;
mod steps;
mod tracked;
mod turns;
mod whole_run;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sseproof_files::model::Need;
use sseproof_files::{Scenario, Target};
use sseproof_net::{Client, Limits};
use sseproof_record::{Exchange, RunEvent, Transcript};

pub use self::command::{CommandError, run as run_command};
use self::scenario_run::ScenarioRun;
pub use self::turns::usual_time;
pub use self::whole_run::run_all;

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

impl Outcome {
    /// Adds to the numbers of all its exchanges.
    fn renumber(&mut self, by: usize) {
        self.exchanges.iter_mut().for_each(|exchange| exchange.renumber(by));
        self.run_events.iter_mut().for_each(|event| event.renumber(by));
        let of_failures = self.failures.iter_mut().filter_map(|failure| failure.exchange.as_mut());
        of_failures.for_each(|number| *number += by);
    }
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
