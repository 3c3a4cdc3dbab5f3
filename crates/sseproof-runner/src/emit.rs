//! Makes the server emit something, by its hook; also where a stream is silent and a probe waits
//! for an event.

use std::time::Duration;

use sseproof_files::{Act, PublishHook};
use sseproof_net::{Leave, Waited, sendable};
use sseproof_record::{Ending, PublishOutcome, Published, Request};

use super::command::{self, CommandError};
use super::evidence;
use super::payloads::mark;
use super::play::Stop;
use super::scenario_run::{ConnectionOptions, ScenarioRun};
use super::steps::WITHIN;
use super::tracked::Snapshot;

/// How long a stream has to be silent before a probe takes it for one that carries only what is
/// published.
const SILENCE: Duration = Duration::from_millis(1_500);
/// How long to wait for one published event before the next is published.
const EACH: Duration = Duration::from_millis(500);
/// How many published events may not come before the probe stops publishing.
const IN_VAIN: usize = 2;

/// Whether a probe that waits for events may publish some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feeding {
    /// It must not, or it does not help.
    Never,
    /// Where the stream is silent: the first probe, which finds out.
    WhenSilent,
    /// At once: the stream is known to be silent.
    AtOnce,
}

impl ScenarioRun<'_> {
    /// Waits until enough is seen, and publishes events where the stream is silent without them.
    pub(super) async fn wait_fed(
        &mut self,
        index: usize,
        within: Duration,
        mut reached: impl FnMut(&Snapshot<'_>) -> bool,
    ) -> Result<(), Stop> {
        let end = self.client.now() + within;
        if self.feeding == Feeding::WhenSilent {
            let seen = |sight: &Snapshot<'_>| sight.events().next().is_some() || sight.ended;
            let waited = self.slot_at(index).wait(SILENCE.min(within), seen).await;
            // Once is enough to know.
            self.feeding =
                if waited == Waited::TimedOut { Feeding::AtOnce } else { Feeding::Never };
        }
        let target = self.target;
        let hook = target.publish.as_ref().filter(|_| self.feeding == Feeding::AtOnce);
        let is_open = |sight: &Snapshot<'_>| sight.exchange.is_stream() && !sight.ended;
        let mut in_vain = 0;
        while let Some(hook) = hook.filter(|_| in_vain < IN_VAIN)
            && self.look(index, is_open)
            && !self.look(index, &mut reached)
            && self.client.now() < end
        {
            let before = self.look(index, |sight| sight.events().count());
            self.feed(hook, index).await?;
            let came = |sight: &Snapshot<'_>| sight.events().count() > before || sight.ended;
            let waited = self.slot_at(index).wait(EACH, came).await;
            in_vain = if waited == Waited::Reached { 0 } else { in_vain + 1 };
        }
        let rest = end.saturating_sub(self.client.now());
        self.slot_at(index).wait(rest, reached).await;
        Ok(())
    }

    /// Waits for the head, and publishes where it does not come: many servers send it with the
    /// first event.
    pub(super) async fn wait_for_head(
        &mut self,
        index: usize,
        published: bool,
        patience: Duration,
    ) -> Result<(), Stop> {
        let end = self.client.now() + patience;
        let target = self.target;
        let is_usual = self.look(index, |sight| sight.exchange.request.method == target.method);
        let silence = match self.feeding {
            _ if published && self.scenario.is_probe() => Some(EACH),
            Feeding::WhenSilent => Some(SILENCE),
            Feeding::AtOnce => Some(EACH),
            Feeding::Never => None,
        };
        let answered = |sight: &Snapshot<'_>| sight.exchange.head.is_some();
        if let (Some(hook), Some(silence), true) = (&target.publish, silence, is_usual)
            && self.slot_at(index).wait(silence, answered).await == Waited::TimedOut
        {
            if self.feeding == Feeding::WhenSilent {
                self.feeding = Feeding::AtOnce;
            }
            for _ in 0..IN_VAIN {
                self.feed(hook, index).await?;
                if self.slot_at(index).wait(EACH, answered).await != Waited::TimedOut {
                    break;
                }
            }
        }
        let rest = end.saturating_sub(self.client.now());
        self.slot_at(index).wait(rest, answered).await;
        Ok(())
    }

    /// Publishes an event that nobody has a reason to change, and writes down at every stream that
    /// is open, and at the one at hand, that it was we who did.
    async fn feed(&mut self, hook: &PublishHook, index: usize) -> Result<(), Stop> {
        self.fed += 1;
        let meant = Published::of(format!("sseproof-event-{:08x}-{}.", mark(), self.fed));
        let outcome = self.emit(hook, &meant).await?;
        self.published_to_open_streams(index, &Published { outcome, ..meant });
        Ok(())
    }

    /// Does what publishes this; what became of it.
    pub(super) async fn emit(
        &mut self,
        hook: &PublishHook,
        meant: &Published,
    ) -> Result<PublishOutcome, Stop> {
        match hook.act_on(self.target, meant) {
            Ok(Act::Send(request)) => self.send(request).await,
            Ok(Act::Run(command)) => Ok(run(&command).await),
            Err(name) => Ok(PublishOutcome::Unsendable(format!("`${{{name}}}` has no value"))),
        }
    }

    pub(super) async fn send(&mut self, mut request: Request) -> Result<PublishOutcome, Stop> {
        // A server that waits for a length would not take nothing as the data.
        if request.body.is_empty() && matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
            request.headers.set("Content-Length", "0");
        }
        if let Err(error) = sendable(&request) {
            return Ok(PublishOutcome::Unsendable(error.to_string()));
        }
        let label = request.label();
        let index = self.open("", request, None, false, ConnectionOptions::default())?;
        let slot = self.slot_at(index);
        slot.wait(WITHIN, |sight| {
            sight.exchange.head.is_some() && sight.exchange.end.how == Ending::Complete
        })
        .await;
        let (status, ended) = self.look(index, |sight| {
            (sight.exchange.status(), sight.ended.then(|| evidence::answer(sight.exchange)))
        });
        self.leave(index, Leave::Fin).await;
        Ok(match status {
            // A redirect is how a form is answered that was taken.
            Some(200..=399) => PublishOutcome::Accepted,
            Some(status @ 400..=499) => {
                PublishOutcome::Refused(format!("{label} answered {status}"))
            }
            Some(status) => PublishOutcome::Failed(format!("{label} answered {status}")),
            None => PublishOutcome::Unanswered(
                ended.unwrap_or_else(|| format!("{label} had no answer in {WITHIN:?}")),
            ),
        })
    }
}

async fn run(command: &str) -> PublishOutcome {
    if command.contains('\0') {
        return PublishOutcome::Unsendable("a command line has no form for a NUL".to_owned());
    }
    match command::run(command, WITHIN, 0).await {
        Ok(()) => PublishOutcome::Accepted,
        Err(error @ CommandError::Exit { .. }) => PublishOutcome::Refused(error.to_string()),
        Err(error @ CommandError::TooLong(_)) => PublishOutcome::Unanswered(error.to_string()),
        Err(error) => PublishOutcome::Unsendable(error.to_string()),
    }
}
