//! Publishes every dangerous payload, and keeps beside the stream what was meant.
//!
//! Each payload stands between two sentinels, events of its own that no server has a reason to
//! change: what comes between them is what became of the payload, also where nothing came.

use std::time::{Duration, SystemTime};

use sseproof_exchange::{Ending, PublishOutcome, Published, Request};
use sseproof_net::{Leave, sendable};

use super::command::{self, CommandError};
use super::dangerous::PAYLOADS;
use super::play::Stop;
use super::session::Session;
use super::steps::WITHIN;
use crate::model::{Connect, Headers, Payloads};
use crate::target::{Act, PublishHook};

/// How long to wait for a sentinel if nothing is said.
const SENTINEL: Duration = Duration::from_secs(2);
/// How long to wait for a payload before the sentinel behind it is sent: a server with several
/// workers may otherwise send them in the other order.
const SETTLE: Duration = Duration::from_millis(500);
/// How often a sentinel is published: a subscriber may hear only what comes some time after its
/// head.
const ATTEMPTS: usize = 2;
/// How many sentinels may be missed before the probe gives up, so that it ends in a bounded time.
const MISSED: usize = 4;

/// What a step has come to.
struct Course<'r> {
    hook: &'r PublishHook,
    within: Duration,
    /// What sentinels of this run have and others have not.
    mark: u32,
    sentinels: usize,
    subscriber: usize,
}

impl Session<'_> {
    pub(super) async fn payloads(&mut self, step: &Payloads) -> Result<(), Stop> {
        let target = self.target;
        let Some(hook) = &target.publish else {
            if self.scenario.is_probe {
                return Ok(());
            }
            return Err(self.impossible(
                "the target does not say how to publish: add `publish:` to the target file, or \
                 give --publish 'POST /publish'",
            ));
        };
        let within = step.within.map_or(SENTINEL, |within| within.0);
        let mark = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.subsec_nanos());
        let subscriber = self.subscriber().await?;
        let mut course = Course { hook, within, mark, sentinels: 0, subscriber };
        let mut missed = 0;
        let mut ready = false;
        for payload in PAYLOADS {
            if !ready {
                if self.look(course.subscriber, |sight| sight.ended) {
                    course.subscriber = self.subscriber().await?;
                }
                ready = self.sentinel(&mut course).await?;
            }
            if !ready || missed >= MISSED {
                break;
            }
            let before = self.events(&course);
            let (name, data) = (payload.name.to_owned(), payload.data());
            if self.put(&course, Some(name), data).await? {
                let slot = self.slot_at(course.subscriber);
                slot.wait(SETTLE, |sight| sight.events().count() > before).await;
            }
            ready = self.sentinel(&mut course).await?;
            missed += usize::from(!ready);
        }
        self.leave(course.subscriber, Leave::Fin).await;
        Ok(())
    }

    /// Opens the stream that carries what is published. The other rules do not judge it: what
    /// stands in it is what we put there.
    async fn subscriber(&mut self) -> Result<usize, Stop> {
        let connect = Connect {
            path: None,
            via: false,
            published: true,
            method: None,
            headers: Headers::default(),
            body: None,
            json: None,
            http: None,
            redirects: None,
            who: None,
            name: None,
        };
        self.connect(&connect).await?;
        Ok(self.named(None).map_or(0, |connection| connection.slot))
    }

    fn events(&self, course: &Course<'_>) -> usize {
        self.look(course.subscriber, |sight| sight.events().count())
    }

    /// Publishes a sentinel and waits for it; whether it came.
    async fn sentinel(&mut self, course: &mut Course<'_>) -> Result<bool, Stop> {
        for _ in 0..ATTEMPTS {
            course.sentinels += 1;
            let text = format!("sseproof-sentinel-{:08x}-{}.", course.mark, course.sentinels);
            let before = self.events(course);
            if !self.put(course, None, text.clone()).await? {
                return Ok(false);
            }
            let slot = self.slot_at(course.subscriber);
            let came = |event: &sseproof_codec::Event<'_>| event.data.contains(&text);
            slot.wait(course.within, |sight| sight.events().skip(before).any(came)).await;
            if self.look(course.subscriber, |sight| sight.events().skip(before).any(came)) {
                return Ok(true);
            }
            if self.look(course.subscriber, |sight| sight.ended) {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Publishes the data and keeps what was meant; whether the server took it.
    async fn put(
        &mut self,
        course: &Course<'_>,
        payload: Option<String>,
        data: String,
    ) -> Result<bool, Stop> {
        let outcome = match course.hook.act(self.target, &data) {
            Ok(Act::Send(request)) => self.send(request).await?,
            Ok(Act::Run(command)) => run(&command).await,
            Err(name) => PublishOutcome::Unsendable(format!("`${{{name}}}` has no value")),
        };
        let accepted = outcome == PublishOutcome::Accepted;
        self.slot_at(course.subscriber).published(Published { payload, data, outcome });
        Ok(accepted)
    }

    pub(super) async fn send(&mut self, request: Request) -> Result<PublishOutcome, Stop> {
        if let Err(error) = sendable(&request) {
            return Ok(PublishOutcome::Unsendable(error.to_string()));
        }
        let label = request.label();
        let index = self.open("", request, None, false)?;
        let slot = self.slot_at(index);
        slot.wait(WITHIN, |sight| {
            sight.exchange.head.is_some() && sight.exchange.end.how == Ending::Complete
        })
        .await;
        let status = self.look(index, |sight| sight.exchange.status());
        self.leave(index, Leave::Fin).await;
        Ok(match status {
            // A redirect is how a form is answered that was taken.
            Some(200..=399) => PublishOutcome::Accepted,
            Some(status @ 400..=499) => {
                PublishOutcome::Refused(format!("{label} answered {status}"))
            }
            Some(status) => PublishOutcome::Failed(format!("{label} answered {status}")),
            None => PublishOutcome::Unanswered(format!("{label} had no answer in {WITHIN:?}")),
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
