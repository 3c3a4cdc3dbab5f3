//! Restarts the server, and waits until it accepts connections again.

use std::time::Duration;

use sseproof_files::RestartHook;
use sseproof_files::model::Restart;
use sseproof_http::Request;
use sseproof_net::{Client, Leave};
use sseproof_record::{Ending, Phase, PublishOutcome, RunEventKind};
use tokio::time::{Instant, sleep};

use super::command;
use super::play::Stop;
use super::scenario_run::ScenarioRun;

const WITHIN: Duration = Duration::from_secs(20);
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
            RestartHook::Again(Some(server)) => server.0.restart().await,
            RestartHook::Again(None) => Err("this run did not start the server".to_owned()),
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
