//! Plays a scenario, step by step.
//!
//! ALPN chooses the version: HTTP/2 if an https server offers it, HTTP/1.1 otherwise, as in browsers.
//! Requests about HTTP/1 (version 1.0, `Connection: close`) always use it; with `--http 2` they are
//! skipped.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use sseproof_files::model::{At, Command, ForEach, Repeat, Step};
use sseproof_files::request;

use super::scenario_run::ScenarioRun;
use super::{RunProgress, StepFailure, Stopped, command};

#[derive(Debug)]
pub(super) enum Stop {
    Step(Box<StepFailure>),
    /// The whole run has to stop.
    Run(Stopped),
}

pub(super) const COMMAND: Duration = Duration::from_secs(30);

impl<'r> ScenarioRun<'r> {
    pub(super) async fn play(&mut self) -> Result<(), Stop> {
        let scenario = self.scenario;
        if !self.has_what_it_needs().await? {
            return Ok(());
        }
        self.steps(&scenario.steps).await
    }

    /// Boxed, because steps have steps.
    fn steps<'s>(
        &'s mut self,
        steps: &'r [At<Step>],
    ) -> Pin<Box<dyn Future<Output = Result<(), Stop>> + Send + 's>>
    where
        'r: 's,
    {
        Box::pin(async move {
            for step in steps {
                self.place = step.place;
                (self.on_progress)(RunProgress::Step(self.scenario, step.place.line));
                self.step(step).await?;
            }
            Ok(())
        })
    }

    async fn step(&mut self, step: &'r At<Step>) -> Result<(), Stop> {
        match &step.value {
            Step::Connect(connect) => self.connect(connect).await,
            Step::Expect(expect) => self.expect(expect).await,
            Step::Read(read) => self.read(read).await,
            Step::Observe(observe) => self.observe(observe).await,
            Step::Drop(disconnect) => self.disconnect(disconnect).await,
            Step::Reconnect(reconnect) => self.reconnect(reconnect).await,
            Step::Wait(pause) => {
                tokio::time::sleep(pause.0).await;
                Ok(())
            }
            Step::Http(http) => self.http(http).await,
            Step::Publish(publish) => self.publish(publish).await,
            Step::Payloads(payloads) => self.payloads(payloads).await,
            Step::Gauge(gauge) => {
                self.gauge(gauge).await;
                Ok(())
            }
            Step::Churn(churn) => self.churn(churn).await,
            Step::Crowd(crowd) => self.crowd(crowd).await,
            Step::Pour(pour) => self.pour(pour).await,
            Step::Stall(stall) => {
                self.stall(stall);
                Ok(())
            }
            Step::ReadOn(read_on) => {
                self.read_on(read_on);
                Ok(())
            }
            Step::Restart(restart) => self.restart(restart).await,
            Step::Terminate(terminate) => self.terminate(terminate).await,
            Step::Run(command) => self.command(command).await,
            Step::Capture(capture) => self.capture(capture),
            Step::Repeat(repeat) => self.repeat(repeat).await,
            Step::ForEach(each) => self.for_each(each).await,
        }
    }

    async fn command(&mut self, step: &Command) -> Result<(), Stop> {
        let command = self.filled(step.command.fill_with(&self.scope, request::word))?;
        let within = step.within.map_or(COMMAND, |within| within.0);
        self.run(&command, within, step.exit).await
    }

    pub(super) async fn run(
        &mut self,
        command: &str,
        within: Duration,
        exit: i32,
    ) -> Result<(), Stop> {
        match command::run(command, within, exit).await {
            Ok(()) => Ok(()),
            Err(error @ command::CommandError::Exit { .. }) => {
                let message = error.to_string();
                let command::CommandError::Exit { stderr, .. } = error else { return Ok(()) };
                Err(self.failed(message, stderr))
            }
            Err(error @ command::CommandError::TooLong(_)) => {
                Err(self.failed(error.to_string(), Vec::new()))
            }
            Err(error) => Err(self.impossible(error.to_string())),
        }
    }

    async fn repeat(&mut self, step: &'r Repeat) -> Result<(), Stop> {
        let outer = self.scope.values.get("round").cloned();
        for round in 1..=step.times.0 {
            self.scope.values.insert("round".to_owned(), round.to_string());
            self.steps(&step.steps).await?;
        }
        self.restore("round", outer);
        Ok(())
    }

    async fn for_each(&mut self, step: &'r ForEach) -> Result<(), Stop> {
        let var = &step.var.0;
        let outer = ["round", var].map(|name| self.scope.values.get(name).cloned());
        for (index, value) in step.values.iter().enumerate() {
            let value = self.filled(value.fill(&self.scope))?;
            self.scope.values.insert("round".to_owned(), (index + 1).to_string());
            self.scope.values.insert(var.clone(), value);
            self.steps(&step.steps).await?;
        }
        let [round, value] = outer;
        self.restore("round", round);
        self.restore(var, value);
        Ok(())
    }

    fn restore(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => self.scope.values.insert(name.to_owned(), value),
            None => self.scope.values.remove(name),
        };
    }
}
