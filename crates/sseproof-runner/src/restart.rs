//! Restarts the server, and waits until it accepts connections again.

use std::time::Duration;

use sseproof_files::model::{Restart, Terminate};
use sseproof_files::{RestartHook, Termination};
use sseproof_http::Request;
use sseproof_net::{Client, Leave};
use sseproof_record::{Ending, Phase, PublishOutcome, RunEventKind};
use sseproof_units::counted;
use tokio::time::{Instant, sleep};

use super::command;
use super::play::Stop;
use super::scenario_run::ScenarioRun;

const WITHIN: Duration = Duration::from_secs(20);
/// The default time to end: Docker kills after 10 s, and the server may need some of it for itself.
const TERMINATED: Duration = Duration::from_secs(8);
const NOT_STARTED: &str =
    "this run did not start the server: add `start: ./server` to the target file, or give --start";
/// The time between two attempts to connect.
const ATTEMPT: Duration = Duration::from_millis(50);

impl ScenarioRun<'_> {
    pub(super) async fn restart(&mut self, step: &Restart) -> Result<(), Stop> {
        let target = self.target;
        let Some(hook) = &target.restart else {
            return Err(self.impossible(
                "the target does not say how to restart: add `restart: true`, or `restart: { run: \
                 docker restart app }`, to the target file",
            ));
        };
        let within = step.within.map_or(WITHIN, |within| within.0);
        let at = self.client.now();
        let deadline = Instant::now() + within;
        let done = match hook {
            RestartHook::Again => match &target.server {
                Some(server) => server.0.restart().await,
                None => Err(NOT_STARTED.to_owned()),
            },
            RestartHook::Run(command) => {
                command::run(command, within, 0).await.map_err(|error| error.to_string())
            }
            RestartHook::Http(hook) => {
                let request = self.filled(hook.request(target))?;
                match self.send(request).await? {
                    PublishOutcome::Accepted => Ok(()),
                    outcome => Err(outcome.said().unwrap_or_default().to_owned()),
                }
            }
        };
        let ready = match done {
            Ok(()) => accepts_connections(self.client, &target.url, deadline).await,
            Err(why) => Err(why),
        };
        self.restarted(at, ready)
    }

    /// Asks the server to end while streams are open, and starts it again.
    pub(super) async fn terminate(&mut self, step: &Terminate) -> Result<(), Stop> {
        let Some(server) = &self.target.server else {
            return Err(self.impossible(NOT_STARTED));
        };
        if step.control && !self.outlived() {
            return Ok(());
        }
        let within = step.within.map_or(TERMINATED, |within| within.0);
        let at = self.client.now();
        let streams = self.open_streams();
        let (by, took, failed) = match server.0.terminate(within).await {
            Ok(Termination { by, took }) => (by, took, None),
            Err(why) => (String::new(), None, Some(why)),
        };
        let message = match (&failed, took) {
            (Some(why), _) => Some(format!("the server could not be asked to end: {why}")),
            (None, Some(_)) => None,
            (None, None) => Some(format!(
                "the server still ran {within:?} after {by}, with {}",
                counted(streams.len(), "open stream")
            )),
        };
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let (took_us, within_us) = (took.map(micros), micros(within));
        let what = RunEventKind::Terminated { by, streams, took_us, within_us, failed };
        self.record_event(at, "", what);
        let at = self.client.now();
        let ready = server.0.restart().await;
        self.restarted(at, ready)?;
        match message.filter(|_| !self.scenario.is_probe()) {
            Some(message) => Err(self.failed(message, Vec::new())),
            None => Ok(()),
        }
    }

    fn restarted(&mut self, at: Duration, ready: Result<(), String>) -> Result<(), Stop> {
        let (ready_us, failed) = match ready {
            Ok(()) => (u64::try_from(self.client.now().as_micros()).ok(), None),
            Err(why) => (None, Some(why)),
        };
        let failure = failed.clone();
        self.record_event(at, "", RunEventKind::Restarted { ready_us, failed });
        match failure {
            Some(why) => Err(self.failed(format!("the restart failed: {why}"), Vec::new())),
            None => Ok(()),
        }
    }
}

async fn accepts_connections(client: &Client, url: &str, deadline: Instant) -> Result<(), String> {
    loop {
        let request = Request::subscribe(url);
        let mut live = client.open(request).map_err(|error| error.to_string())?;
        let limits = client.limits();
        live.wait(limits.connect, |progress| progress.exchange.phases.connected.is_some()).await;
        let exchange = live.leave(Leave::Fin).await;
        let why = match &exchange.end.how {
            Ending::Unconnected(why) | Ending::Unresolved(why) => why.clone(),
            Ending::TimedOut(Phase::Connect) => "no answer".to_owned(),
            _ => return Ok(()),
        };
        if Instant::now() >= deadline {
            return Err(format!("it accepts no connections: {why}"));
        }
        sleep(ATTEMPT).await;
    }
}
