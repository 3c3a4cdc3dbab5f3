//! One scenario under way: its exchanges, what it calls them, and its variables.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use sseproof_files::model::{At, Name, Purpose, Scope};
use sseproof_files::{MARK, Place, Scenario, TargetConfig};
use sseproof_net::{Client, Leave, ReceiveBuffer, RequestOptions, Watcher};
use sseproof_record::{
    Ending, Exchange, Follows, Gauge, Phase, Published, Request, Role, RunEvent, RunEventKind,
};

use super::emit::Feeding;
use super::evidence::About;
use super::play::Stop;
use super::tracked::{Snapshot, TrackedExchange, marked};
use super::{FailureKind, OnProgress, StepFailure, Stopped, evidence};

/// One scenario under way.
pub(super) struct ScenarioRun<'r> {
    pub(super) scenario: &'r Scenario,
    pub(super) target: &'r TargetConfig,
    pub(super) client: &'r Client,
    pub(super) scope: Scope,
    pub(super) on_progress: OnProgress<'r>,
    /// Where the step at hand begins.
    pub(super) place: Place,
    /// Whether events may be published where the stream is silent.
    pub(super) feeding: Feeding,
    /// How many were.
    pub(super) fed: usize,
    first: usize,
    slots: Vec<TrackedExchange>,
    run_events: Vec<RunEvent>,
    /// What looks into the server's processes.
    pub(super) watcher: Watcher,
    /// The readings of this scenario, by their names.
    pub(super) readings: BTreeMap<String, Vec<(Gauge, u64)>>,
    connections: BTreeMap<String, Option<Connection>>,
    latest: Option<String>,
}

/// What a name of the scenario stands for.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) name: String,
    /// The part that its exchanges play for rules.
    pub(super) role: Option<Role>,
    /// Its exchange: the last one, where redirects were followed.
    pub(super) slot: usize,
    /// The request that it began with.
    pub(super) request: Request,
    /// The last event ID that it began with.
    pub(super) last_event_id: String,
    /// The reconnection time that it began with, in milliseconds.
    pub(super) reconnection_time: Option<u64>,
    /// How many of each kind were read or expected.
    pub(super) passed: Consumed,
    /// Whether it goes through the proxy that the target names.
    pub(super) via: bool,
    /// Whether it carries what is published, so that publishing brings a head that waits for an
    /// event.
    pub(super) published: bool,
    /// How it goes besides.
    pub(super) way: ConnectionOptions,
    /// Whether the standing rules judge it, if it is a stream.
    pub(super) judged: bool,
}

/// How an exchange goes, besides what its request says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionOptions {
    /// Whether the version of its request is demanded.
    pub(super) exactly: bool,
    /// The place of the exchange whose connection it joins.
    pub(super) on: Option<usize>,
    /// The window of its stream.
    pub(super) window: Option<u32>,
    /// How much its connection takes that nobody reads.
    pub(super) room: ReceiveBuffer,
}

/// How many of each kind were read or expected.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Consumed {
    pub(super) events: usize,
    pub(super) comments: usize,
    pub(super) retries: usize,
}

impl<'r> ScenarioRun<'r> {
    pub(super) fn new(
        scenario: &'r Scenario,
        target: &'r TargetConfig,
        client: &'r Client,
        first: usize,
        on_progress: OnProgress<'r>,
    ) -> Self {
        Self {
            scenario,
            target,
            client,
            scope: marked_scope(&scenario.scope),
            on_progress,
            place: Place { line: 1, column: 1 },
            feeding: feeding(scenario, target),
            fed: 0,
            first,
            slots: Vec::new(),
            run_events: Vec::new(),
            watcher: Watcher::default(),
            readings: BTreeMap::new(),
            connections: BTreeMap::new(),
            latest: None,
        }
    }

    /// Something was published for the stream at hand, and every other that is open may carry it.
    pub(super) fn published_to_open_streams(&mut self, at_hand: usize, published: &Published) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let is_open = slot.look(|sight| sight.exchange.is_stream() && !sight.ended);
            if index == at_hand || is_open {
                slot.published(published.clone());
            }
        }
    }

    /// Leaves whatever is open, and gives every exchange that was begun, and what happened besides.
    pub(super) async fn finish(mut self) -> (Vec<Exchange>, Vec<RunEvent>) {
        for slot in &mut self.slots {
            slot.leave(Leave::Fin, self.client.now()).await;
        }
        (self.slots.into_iter().map(TrackedExchange::into_exchange).collect(), self.run_events)
    }

    /// Begins an exchange; gives its place among them all.
    pub(super) fn open(
        &mut self,
        name: &str,
        request: Request,
        follows: Option<Follows>,
        judged: bool,
        way: ConnectionOptions,
    ) -> Result<usize, Stop> {
        let on = way.on.and_then(|index| self.slots[index].live());
        let ConnectionOptions { exactly, window, room, .. } = way;
        let options = RequestOptions { exactly, on, window, receive_buffer: room };
        let live = match self.client.open_with(request.clone(), options) {
            Ok(live) => live,
            Err(error) => {
                let message = format!("the request cannot be sent: {error}");
                return Err(self.impossible(message));
            }
        };
        let number = self.first + self.slots.len();
        let mut exchange = marked(number, &self.scenario.id, name, request);
        exchange.follows = follows;
        // What a probe does while it drives the server is for the rules that ask for it.
        let drives = self.scenario.is_probe() && !self.scenario.needs.is_empty();
        // Who gives a stream no room has no right to what it lacks.
        exchange.judged = judged && !drives && way.window.is_none();
        let joins = way.on.filter(|_| live.joins());
        self.slots.push(TrackedExchange::new(live, exchange));
        if let Some(on) = joins {
            let opener = self.slots[on].opener();
            self.slots[on].shares(opener);
            if let Some(slot) = self.slots.last_mut() {
                slot.shares(opener);
            }
        }
        Ok(self.slots.len() - 1)
    }

    /// Keeps what happened besides the exchanges, under the name that the step gives it.
    pub(super) fn happened(&mut self, at: Duration, name: &str, what: RunEventKind) {
        self.run_events.push(RunEvent {
            at,
            scenario: self.scenario.id.clone(),
            name: name.to_owned(),
            what,
        });
    }

    /// Gives what was opened a name.
    pub(super) fn name(&mut self, connection: Connection, is_stream: bool) {
        if is_stream {
            self.latest = Some(connection.name.clone());
        }
        self.connections.insert(connection.name.clone(), Some(connection));
    }

    /// The name stands for something that was left out.
    pub(super) fn absent(&mut self, name: &str) {
        self.latest = Some(name.to_owned());
        self.connections.insert(name.to_owned(), None);
    }

    /// What the step is about; `None` where it was left out, and with it the step.
    pub(super) fn named(&self, name: Option<&At<Name>>) -> Option<Connection> {
        let name = name.map(|name| &name.0).or(self.latest.as_ref())?;
        self.connections.get(name).cloned().flatten()
    }

    /// The name that a step uses where it says none.
    pub(super) fn latest(&self) -> &str {
        self.latest.as_deref().unwrap_or("stream")
    }

    pub(super) fn passed(&mut self, connection: &Connection, passed: Consumed) {
        if let Some(Some(known)) = self.connections.get_mut(&connection.name) {
            known.passed = passed;
        }
    }

    pub(super) fn slot(&mut self, connection: &Connection) -> &mut TrackedExchange {
        &mut self.slots[connection.slot]
    }

    pub(super) fn slot_at(&mut self, index: usize) -> &mut TrackedExchange {
        &mut self.slots[index]
    }

    pub(super) fn look<T>(&self, index: usize, look: impl FnOnce(&Snapshot<'_>) -> T) -> T {
        self.slots[index].look(look)
    }

    pub(super) async fn leave(&mut self, index: usize, how: Leave) {
        let now = self.client.now();
        self.slots[index].leave(how, now).await;
    }

    /// Stops the run where its very first exchange found nobody.
    pub(super) fn reached(&self, index: usize) -> Result<(), Stop> {
        if self.first + index > 1 {
            return Ok(());
        }
        self.slots[index].look(|sight| match &sight.exchange.end.how {
            Ending::Unresolved(_)
            | Ending::Unconnected(_)
            | Ending::TimedOut(Phase::Connect)
            | Ending::Handshake(_)
                if sight.ended =>
            {
                Err(Stop::Run(Stopped::Unreachable(evidence::answer(sight.exchange))))
            }
            _ => Ok(()),
        })
    }

    /// The step failed by the target's fault.
    pub(super) fn unmet(&self, connection: &Connection, message: impl Into<String>) -> Stop {
        self.unmet_about(connection, message, About::Everything)
    }

    /// The same, with evidence of one kind.
    pub(super) fn unmet_about(
        &self,
        connection: &Connection,
        message: impl Into<String>,
        about: About,
    ) -> Stop {
        let slot = &self.slots[connection.slot];
        let mut failure = self.failure(FailureKind::Unmet, message.into());
        failure.seen = slot.look(|sight| evidence::seen(sight, about));
        failure.exchange = Some(slot.number());
        failure.connection = Some(connection.name.clone()).filter(|name| !name.is_empty());
        Stop::Step(Box::new(failure))
    }

    /// The step cannot be done as it is written.
    pub(super) fn impossible(&self, message: impl Into<String>) -> Stop {
        Stop::Step(Box::new(self.failure(FailureKind::Impossible, message.into())))
    }

    /// The step has no exchange, and did not come out as expected.
    pub(super) fn failed(&self, message: impl Into<String>, seen: Vec<String>) -> Stop {
        let mut failure = self.failure(FailureKind::Unmet, message.into());
        failure.seen = seen;
        Stop::Step(Box::new(failure))
    }

    fn failure(&self, kind: FailureKind, message: String) -> StepFailure {
        let Place { line, column } = self.place;
        StepFailure {
            kind,
            scenario: self.scenario.id.clone(),
            file: self.scenario.file.clone(),
            line,
            column,
            step: evidence::step(&self.scenario.source, self.place),
            message,
            seen: Vec::new(),
            exchange: None,
            connection: None,
        }
    }

    /// What comes of filling in variables: they have values, unless the step that captures one was
    /// left out.
    pub(super) fn filled<T>(&self, filled: Result<T, String>) -> Result<T, Stop> {
        filled.map_err(|name| {
            self.impossible(format!(
                "`${{{name}}}` has no value: the step that gives it one was left out"
            ))
        })
    }
}

/// The variables, and the one that has another value in each run.
fn marked_scope(scope: &Scope) -> Scope {
    let mut scope = scope.clone();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mark = format!("{:08x}{:05x}", now.as_secs() & 0xffff_ffff, now.subsec_micros());
    scope.values.entry(MARK.to_owned()).or_insert(mark);
    scope
}

/// A scenario of the user gets only the events that it asks for. What is published to another path
/// does not help the stream.
fn feeding(scenario: &Scenario, target: &TargetConfig) -> Feeding {
    let helps = target.publish.as_ref().is_some_and(|hook| hook.stream.is_none());
    match &scenario.probe {
        Some(probe) if probe.feed && helps => match probe.purpose {
            _ if target.is_silent => Feeding::AtOnce,
            Purpose::FindStream => Feeding::WhenSilent,
            Purpose::Provoke | Purpose::FindLateHeaders => Feeding::Never,
        },
        _ => Feeding::Never,
    }
}
