//! Makes the server send events with the target's publish hook; also if a stream is silent and a
//! probe waits for an event.
//!
//! If the response headers of a stream of published events do not come, an event is published: many
//! servers send them with the first event, and the stream could not be checked otherwise. Rules
//! judge only the marked events, so one more disturbs none; that it released the headers is the
//! subject of `response/head-before-event`.

use std::time::Duration;

use sseproof_files::{HookCall, PublishHook};
use sseproof_http::{EVENT_STREAM, Request};
use sseproof_net::{Leave, Waited, sendable};
use sseproof_record::{Ending, PublishOutcome, Published, Role};

use super::command::{self, CommandError};
use super::evidence;
use super::payloads::mark;
use super::play::Stop;
use super::scenario_run::{ConnectionOptions, ScenarioRun};
use super::steps::WITHIN;
use super::tracked::Snapshot;

/// A stream that is silent for this long carries only published events.
const SILENCE: Duration = Duration::from_millis(1_500);
/// So many events at the beginning of a stream do not show that it has events of its own.
const GREETINGS: usize = 2;
/// How long to wait for one published event before the next is published.
const EACH: Duration = Duration::from_millis(500);
/// How long more of an answer may follow its first event, if the answer does not end.
const BEHIND: Duration = Duration::from_millis(100);
/// How long to wait for response headers if earlier ones waited for an event.
const HELD: Duration = Duration::from_millis(50);
/// After this many published events that do not arrive, the probe stops publishing.
const IN_VAIN: usize = 2;

/// Whether a probe that waits for events may publish some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feeding {
    /// Not allowed, or of no use.
    Never,
    /// If the stream turns out to be silent: for the first probe.
    WhenSilent,
    /// At once: an earlier probe found the stream silent.
    AtOnce,
}

impl ScenarioRun<'_> {
    /// Waits until the condition holds, and publishes events if the stream is silent without them.
    pub(super) async fn wait_fed(
        &mut self,
        index: usize,
        within: Duration,
        mut reached: impl FnMut(&Snapshot<'_>) -> bool,
    ) -> Result<(), Stop> {
        let end = self.client.now() + within;
        if self.feeding == Feeding::WhenSilent {
            let mut waited = Waited::Reached;
            // An event or two may only greet the client.
            for greetings in 0..=GREETINGS {
                let seen = |snapshot: &Snapshot<'_>| {
                    snapshot.event_count > greetings || snapshot.ended || reached(snapshot)
                };
                waited = self.slot_at(index).wait(SILENCE.min(within), seen).await;
                if waited != Waited::Reached || self.look(index, &mut reached) {
                    break;
                }
            }
            self.feeding =
                if waited == Waited::TimedOut { Feeding::AtOnce } else { Feeding::Never };
        }
        let target = self.target;
        let hook = target.publisher().filter(|_| self.feeding == Feeding::AtOnce);
        let is_open = |snapshot: &Snapshot<'_>| snapshot.exchange.is_stream() && !snapshot.ended;
        let mut in_vain = 0;
        while let Some(hook) = hook.filter(|_| in_vain < IN_VAIN)
            && self.look(index, is_open)
            && !self.look(index, &mut reached)
            && self.client.now() < end
        {
            let before = self.look(index, |snapshot| snapshot.event_count);
            self.feed(hook, index).await?;
            let came = |snapshot: &Snapshot<'_>| snapshot.event_count > before || snapshot.ended;
            let waited = self.slot_at(index).wait(EACH, came).await;
            in_vain = if waited == Waited::Reached { 0 } else { in_vain + 1 };
        }
        let rest = end.saturating_sub(self.client.now());
        self.slot_at(index).wait(rest, reached).await;
        Ok(())
    }

    /// Waits for the response headers, and publishes an event if they do not come.
    pub(super) async fn wait_for_head(
        &mut self,
        index: usize,
        published: bool,
        patience: Duration,
    ) -> Result<(), Stop> {
        let end = self.client.now() + patience;
        let target = self.target;
        let is_usual =
            self.look(index, |snapshot| snapshot.exchange.request.method == target.method);
        let silence = match self.feeding {
            _ if published && self.scenario.is_probe() => {
                Some(if self.holds_headers { HELD } else { EACH })
            }
            Feeding::WhenSilent => Some(SILENCE),
            Feeding::AtOnce => Some(EACH),
            Feeding::Never => None,
        };
        let answered = |snapshot: &Snapshot<'_>| snapshot.exchange.head.is_some();
        if let (Some(hook), Some(silence), true) = (target.publisher(), silence, is_usual)
            && self.slot_at(index).wait(silence, answered).await == Waited::TimedOut
        {
            if self.feeding == Feeding::WhenSilent {
                self.feeding = Feeding::AtOnce;
            }
            for _ in 0..IN_VAIN {
                self.feed(hook, index).await?;
                if self.slot_at(index).wait(EACH, answered).await != Waited::TimedOut {
                    self.holds_headers = true;
                    break;
                }
            }
        }
        let rest = end.saturating_sub(self.client.now());
        self.slot_at(index).wait(rest, answered).await;
        Ok(())
    }

    /// Publishes a harmless event, and notes it at this stream and at every other open one.
    async fn feed(&mut self, hook: &PublishHook, index: usize) -> Result<(), Stop> {
        self.fed += 1;
        let meant = Published::of(format!("sseproof-event-{:08x}-{}.", mark(), self.fed));
        let outcome = self.emit(hook, &meant).await?;
        self.published_to_open_streams(index, &Published { outcome, ..meant });
        Ok(())
    }

    pub(super) async fn emit(
        &mut self,
        hook: &PublishHook,
        meant: &Published,
    ) -> Result<PublishOutcome, Stop> {
        match hook.call_on(self.target, meant) {
            Ok(HookCall::Send(request)) => self.send(request).await,
            Ok(HookCall::Run(command)) => Ok(run(&command).await),
            Ok(HookCall::Unsendable(why)) => Ok(PublishOutcome::Unsendable(why)),
            Err(name) => Ok(PublishOutcome::Unsendable(format!("`${{{name}}}` has no value"))),
        }
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<PublishOutcome, Stop> {
        let index = match self.begin(request)? {
            Ok(index) => index,
            Err(unsendable) => return Ok(unsendable),
        };
        self.slot_at(index).wait(WITHIN, is_complete).await;
        let outcome = self.outcome_of(index);
        self.leave(index, Leave::Fin).await;
        Ok(outcome)
    }

    /// Begins the request of a publication, if it can be sent.
    fn begin(&mut self, mut request: Request) -> Result<Result<usize, PublishOutcome>, Stop> {
        // A server that requires a length would reject an empty body without one.
        if request.body.is_empty() && matches!(request.method.as_str(), "POST" | "PUT" | "PATCH") {
            request.headers.set("Content-Length", "0");
        }
        if let Err(error) = sendable(&request) {
            return Ok(Err(PublishOutcome::Unsendable(error.to_string())));
        }
        self.open("", request, None, false, ConnectionOptions::default()).map(Ok)
    }

    fn outcome_of(&self, index: usize) -> PublishOutcome {
        self.look(index, |snapshot| {
            let label = snapshot.exchange.request.label();
            outcome(&label, snapshot.exchange.status(), || match snapshot.ended {
                true => evidence::answer(snapshot.exchange),
                false => format!("{label} had no answer in {WITHIN:?}"),
            })
        })
    }

    /// Publishes, and reads the answer, which is the stream: to its end, or if the stream is
    /// `endless` until it has an event. Returns its exchange; `None` if the request cannot carry it.
    pub(super) async fn ask(
        &mut self,
        hook: &PublishHook,
        meant: &Published,
        patience: Duration,
        endless: bool,
    ) -> Result<(Option<usize>, PublishOutcome), Stop> {
        let request = match hook.call_on(self.target, meant) {
            Ok(HookCall::Send(mut request)) => {
                if request.headers.first("accept").as_deref() == Some("*/*") {
                    request.headers.set("Accept", EVENT_STREAM);
                }
                request
            }
            Ok(HookCall::Run(command)) => return Ok((None, run(&command).await)),
            Ok(HookCall::Unsendable(why)) => return Ok((None, PublishOutcome::Unsendable(why))),
            Err(name) => return Err(self.impossible(format!("`${{{name}}}` has no value"))),
        };
        let index = match self.begin(request)? {
            Ok(index) => index,
            Err(unsendable) => return Ok((None, unsendable)),
        };
        let slot = self.slot_at(index);
        slot.plays(Some(Role::Answer), false);
        slot.wait(WITHIN, |snapshot| snapshot.exchange.head.is_some()).await;
        if endless {
            slot.wait(EACH, |snapshot| snapshot.events().next().is_some()).await;
            slot.wait(BEHIND, is_complete).await;
        } else {
            slot.wait(patience, is_complete).await;
        }
        let outcome = self.outcome_of(index);
        Ok((Some(index), outcome))
    }
}

fn is_complete(snapshot: &Snapshot<'_>) -> bool {
    snapshot.exchange.head.is_some() && snapshot.exchange.end.how == Ending::Complete
}

/// The outcome of a publication by the status of its response.
pub(super) fn outcome(
    label: &str,
    status: Option<u16>,
    unanswered: impl FnOnce() -> String,
) -> PublishOutcome {
    match status {
        // Forms are often accepted with a redirect.
        Some(200..=399) => PublishOutcome::Accepted,
        Some(status @ 400..=499) => PublishOutcome::Refused(format!("{label} answered {status}")),
        Some(status) => PublishOutcome::Failed(format!("{label} answered {status}")),
        None => PublishOutcome::Unanswered(unanswered()),
    }
}

async fn run(command: &str) -> PublishOutcome {
    if command.contains('\0') {
        return PublishOutcome::Unsendable("a command line cannot contain a NUL".to_owned());
    }
    match command::run(command, WITHIN, 0).await {
        Ok(()) => PublishOutcome::Accepted,
        Err(error @ CommandError::Exit { .. }) => PublishOutcome::Refused(error.to_string()),
        Err(error @ CommandError::TooLong(_)) => PublishOutcome::Unanswered(error.to_string()),
        Err(error) => PublishOutcome::Unsendable(error.to_string()),
    }
}
