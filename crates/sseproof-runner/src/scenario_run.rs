//! A scenario that is being played: its exchanges, their names, and its variables.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use sseproof_files::model::{At, Name, Purpose, Scope};
use sseproof_files::{MARK, Place, PublishHook, Scenario, Target, ToHead};
use sseproof_http::Request;
use sseproof_net::{Client, Leave, Limits, ReceiveBuffer, RequestOptions, Watcher};
use sseproof_record::{
    Ending, Exchange, Follows, Gauge, Phase, Published, Role, RunEvent, RunEventKind,
};

use super::emit::Feeding;
use super::evidence::About;
use super::play::Stop;
use super::tracked::{Snapshot, TrackedExchange, marked};
use super::{FailureKind, OnProgress, StepFailure, Stopped, evidence};

/// How long a probe waits for the answer to a HEAD if earlier ones had none.
const MUTE: Duration = Duration::from_millis(300);

pub(super) struct ScenarioRun<'r> {
    pub(super) scenario: &'r Scenario,
    pub(super) target: &'r Target,
    pub(super) client: &'r Client,
    pub(super) scope: Scope,
    pub(super) on_progress: OnProgress<'r>,
    pub(super) place: Place,
    /// Whether events may be published if the stream is silent.
    pub(super) feeding: Feeding,
    /// The number of events published for that reason.
    pub(super) fed: usize,
    /// The number of events of all `pour` steps.
    pub(super) poured: u64,
    first: usize,
    slots: Vec<TrackedExchange>,
    run_events: Vec<RunEvent>,
    pub(super) watcher: Watcher,
    pub(super) readings: BTreeMap<String, Vec<(Gauge, u64)>>,
    /// The readings whose numbers did not return to those that they should.
    pub(super) is_out: BTreeSet<String>,
    /// Whether the response headers of a stream of published events waited for an event.
    pub(super) holds_headers: bool,
    /// Whether a stream stayed open, in silence, although its end was waited for.
    pub(super) stays_open: bool,
    connections: BTreeMap<String, Option<Connection>>,
    latest: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) name: String,
    pub(super) role: Option<Role>,
    /// Its exchange: the last one, if redirects were followed.
    pub(super) slot: usize,
    pub(super) request: Request,
    pub(super) last_event_id: String,
    /// The reconnection time known before it, in milliseconds.
    pub(super) reconnection_time: Option<u64>,
    /// How many of each kind were read or expected.
    pub(super) passed: Consumed,
    pub(super) via: bool,
    /// Whether it carries published events: if the response headers wait for an event, publishing
    /// one releases them.
    pub(super) published: bool,
    pub(super) options: ConnectionOptions,
    /// Whether the general rules judge it, if it is a stream.
    pub(super) judged: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConnectionOptions {
    /// Whether the HTTP version of its request is required.
    pub(super) exactly: bool,
    /// The index of the exchange whose connection it shares.
    pub(super) on: Option<usize>,
    pub(super) keep: bool,
    pub(super) window: Option<u32>,
    pub(super) receive_buffer: ReceiveBuffer,
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
        target: &'r Target,
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
            poured: 0,
            first,
            slots: Vec::new(),
            run_events: Vec::new(),
            watcher: Watcher::default(),
            readings: BTreeMap::new(),
            is_out: BTreeSet::new(),
            holds_headers: false,
            stays_open: false,
            connections: BTreeMap::new(),
            latest: None,
        }
    }

    /// Notes a published event at this stream and at every other open one, which may carry it, too.
    pub(super) fn published_to_open_streams(&mut self, index_of: usize, published: &Published) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if index == index_of || slot.look(is_open) {
                slot.published(published.clone());
            }
        }
    }

    /// The exchanges of the streams that are open.
    pub(super) fn open_streams(&self) -> Vec<usize> {
        let open = self.slots.iter().filter(|slot| slot.look(is_open));
        open.map(TrackedExchange::number).collect()
    }

    /// Whether the server still ran after it was last asked to end.
    pub(super) fn outlived(&self) -> bool {
        let took = self.run_events.iter().rev().find_map(|event| match event.what {
            RunEventKind::Terminated { took_us, .. } => Some(took_us),
            _ => None,
        });
        took == Some(None)
    }

    /// Closes all open exchanges; returns every exchange that was begun, and the run events.
    pub(super) async fn finish(mut self) -> (Vec<Exchange>, Vec<RunEvent>) {
        for slot in &mut self.slots {
            slot.leave(Leave::Fin, self.client.now()).await;
        }
        (self.slots.into_iter().map(TrackedExchange::into_exchange).collect(), self.run_events)
    }

    /// Begins an exchange; returns its index.
    pub(super) fn open(
        &mut self,
        name: &str,
        request: Request,
        follows: Option<Follows>,
        judged: bool,
        options: ConnectionOptions,
    ) -> Result<usize, Stop> {
        let on = options.on.and_then(|index| self.slots[index].live());
        let ConnectionOptions { exactly, keep, window, receive_buffer, .. } = options;
        let request_options = RequestOptions { exactly, on, keep, window, receive_buffer };
        let client = self.client_for(&request);
        let live = match client.open_with(request.clone(), request_options) {
            Ok(live) => live,
            Err(error) => {
                let message = format!("the request cannot be sent: {error}");
                return Err(self.impossible(message));
            }
        };
        let number = self.first + self.slots.len();
        let mut exchange = marked(number, &self.scenario.id, name, request);
        exchange.follows = follows;
        // The exchanges of a probe that drives the server are only for the rules that ask for it.
        let drives = self.scenario.is_probe() && !self.scenario.needs.is_empty();
        // If the client gives a stream no window, the server may not send events.
        exchange.judged = judged && !drives && options.window.is_none();
        let joins = options.on.filter(|_| live.joins());
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

    /// The client; less patient for HEAD if earlier responses show how long an answer takes.
    fn client_for(&self, request: &Request) -> Client {
        let limits = self.client.limits();
        let patience = match self.target.to_head {
            _ if request.method != "HEAD" || !self.scenario.is_probe() => None,
            ToHead::Unknown => None,
            ToHead::Within(patience) => Some(patience),
            ToHead::Never => Some(MUTE),
        };
        let head = patience.map_or(limits.head, |patience| patience.min(limits.head));
        self.client.with_limits(Limits { head, ..limits })
    }

    /// Whether the server did not answer an earlier HEAD.
    pub(super) fn is_mute_to_head(&self) -> bool {
        let is_mute = |snapshot: &Snapshot<'_>| is_mute_to_head(snapshot.exchange);
        self.target.to_head == ToHead::Never || self.slots.iter().any(|slot| slot.look(is_mute))
    }

    /// Records an event of the run beside the exchanges, under the name that the step gives it.
    pub(super) fn record_event(&mut self, at: Duration, name: &str, what: RunEventKind) {
        self.run_events.push(RunEvent {
            at,
            scenario: self.scenario.id.clone(),
            name: name.to_owned(),
            what,
        });
    }

    pub(super) fn name(&mut self, connection: Connection, is_stream: bool) {
        if is_stream {
            self.latest = Some(connection.name.clone());
        }
        self.connections.insert(connection.name.clone(), Some(connection));
    }

    pub(super) fn absent(&mut self, name: &str) {
        self.latest = Some(name.to_owned());
        self.connections.insert(name.to_owned(), None);
    }

    /// The connection that a step names; `None` if it was left out, and with it the step.
    pub(super) fn named(&self, name: Option<&At<Name>>) -> Option<Connection> {
        let name = name.map(|name| &name.0).or(self.latest.as_ref())?;
        self.connections.get(name).cloned().flatten()
    }

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

    /// Stops the run if its first exchange reached no server.
    pub(super) fn reached(&self, index: usize) -> Result<(), Stop> {
        if self.first + index > 1 {
            return Ok(());
        }
        self.slots[index].look(|snapshot| match &snapshot.exchange.end.how {
            Ending::Unresolved(_)
            | Ending::Unconnected(_)
            | Ending::TimedOut(Phase::Connect)
            | Ending::Handshake(_)
                if snapshot.ended =>
            {
                Err(Stop::Run(Stopped::Unreachable(evidence::answer(snapshot.exchange))))
            }
            _ => Ok(()),
        })
    }

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
        failure.seen = slot.look(|snapshot| evidence::seen(snapshot, about));
        failure.exchange = Some(slot.number());
        failure.connection = Some(connection.name.clone()).filter(|name| !name.is_empty());
        Stop::Step(Box::new(failure))
    }

    /// The step cannot be done as it is written.
    pub(super) fn impossible(&self, message: impl Into<String>) -> Stop {
        Stop::Step(Box::new(self.failure(FailureKind::Impossible, message.into())))
    }

    pub(super) fn publish_hook(&self) -> Result<&'r PublishHook, Stop> {
        self.target.publish.as_ref().ok_or_else(|| {
            self.impossible(
                "the target does not say how to publish: add `publish:` to the target file, or \
                 give --publish 'POST /publish'",
            )
        })
    }

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

    /// A text with its variables filled in. A variable has no value only if the step that captures
    /// it was left out.
    pub(super) fn filled<T>(&self, filled: Result<T, String>) -> Result<T, Stop> {
        filled.map_err(|name| {
            self.impossible(format!(
                "`${{{name}}}` has no value: the step that captures it was left out"
            ))
        })
    }
}

/// Whether the server itself did not answer this HEAD in time, on a connection of its own.
pub(super) fn is_mute_to_head(exchange: &Exchange) -> bool {
    let timed_out = exchange.end.how == Ending::TimedOut(Phase::Head);
    let is_again = exchange.role == Some(Role::SameConnection);
    timed_out && exchange.request.method == "HEAD" && !exchange.via && !is_again
}

fn is_open(snapshot: &Snapshot<'_>) -> bool {
    snapshot.exchange.is_stream() && !snapshot.ended
}

/// The variables, with the one that has a new value in each run.
fn marked_scope(scope: &Scope) -> Scope {
    let mut scope = scope.clone();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let mark = format!("{:08x}{:05x}", now.as_secs() & 0xffff_ffff, now.subsec_micros());
    scope.values.entry(MARK.to_owned()).or_insert(mark);
    scope
}

/// Scenarios of users get only the events that they publish. Events published to another path do
/// not help the stream.
fn feeding(scenario: &Scenario, target: &Target) -> Feeding {
    let helps = target.publisher().is_some() && target.published_stream().is_none();
    match &scenario.probe {
        Some(probe) if probe.feed && helps => match probe.purpose {
            _ if target.is_silent => Feeding::AtOnce,
            Purpose::FindStream => Feeding::WhenSilent,
            Purpose::Provoke | Purpose::FindLateHeaders => Feeding::Never,
        },
        _ => Feeding::Never,
    }
}
