//! Steps with load: many clients in turn, many bytes, a client that stops reading.

use std::time::Duration;

use sseproof_codec::Item;
use sseproof_files::model::{Churn, Grown, Name, Pour, Stall};
use sseproof_files::{HookCall, MARK};
use sseproof_http::Request;
use sseproof_net::{Client, Leave, Waited};
use sseproof_record::{Exchange, Gauge, Numbered, PublishOutcome, RunEventKind};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::command;
use super::emit::outcome;
use super::play::Stop;
use super::scenario_run::{Connection, ConnectionOptions, ScenarioRun};
use super::tracked::Snapshot;

/// The default number of clients.
const TIMES: usize = 200;
/// The default number of clients at a time.
const AT_A_TIME: usize = 25;
/// The default time limit of all clients together.
const CHURNING: Duration = Duration::from_secs(15);
/// The number of parts, with a reading after each.
const PARTS: usize = 8;
/// The first parts, after which it does not wait until the server has released the connections.
const WITHOUT_WAIT: usize = PARTS / 2 - 1;
/// How long to wait after each other part until the server has released the closed connections.
const PART_GONE: Duration = Duration::from_millis(500);
/// The same after the last part.
const ALL_GONE: Duration = Duration::from_secs(5);
/// How long to stay silent if more is open than after half of the parts: many servers close an idle
/// connection after five seconds, and a proxy may have opened some for the readings themselves.
const IDLE_CLOSED: Duration = Duration::from_secs(6);
/// So many more do not matter.
const FEW: u64 = 2;
/// The number of bytes published at a time: servers reject bodies that are much longer.
const PORTION: usize = 64 << 10;
/// The time limit for one portion: a little more than the rule on slow readers requires.
const ANSWER: Duration = Duration::from_millis(3_200);
/// How many events may be on the way to a client that reads.
const BEHIND: u64 = 16;
/// The time limit for each of them.
const SEEN: Duration = Duration::from_secs(1);
/// The default time limit of `pour`.
const POURING: Duration = Duration::from_secs(5);
/// After this time the pace of a `pour` is known.
const PACED: Duration = Duration::from_secs(1);
/// After this time a `pour` need not be complete, if the server has this much to send to a client that
/// reads nothing, besides what is on the way to it: more than its rule requires.
const PAST_AFTER: Duration = Duration::from_secs(2);
const PAST: u64 = 96 << 10;
/// After this time it ends in any case, if that client slows the server down: with less than this
/// part of the bytes.
const SLOWED_AFTER: Duration = Duration::from_secs(3);
const SLOWED: u64 = 4;

impl ScenarioRun<'_> {
    pub(super) async fn churn(&mut self, step: &Churn) -> Result<(), Stop> {
        let times = step.times.map_or(TIMES, |times| times.0);
        let at_a_time = step.at_a_time.map_or(AT_A_TIME, |at_a_time| at_a_time.0);
        let deadline = Instant::now() + step.within.map_or(CHURNING, |within| within.0);
        let name = step.name.0.as_str();
        let request = self.subscription();
        self.read_gauges(name, None, PART_GONE).await;
        let baseline = format!("{name} at first");
        if let Some(first) = self.readings.get(name).cloned() {
            self.readings.insert(baseline.clone(), first);
        }
        let (mut connections, mut streams, mut at_half) = (0, 0, None);
        for part in 1..=PARTS {
            let until = times * part / PARTS;
            let at = self.client.now();
            while connections < until && Instant::now() < deadline {
                let some = (until - connections).min(at_a_time);
                streams += visits(self.client, &request, some).await;
                connections += some;
            }
            // If the server grants no stream, or only slowly, more clients would prove nothing.
            let last = part == PARTS || streams == 0 || Instant::now() >= deadline;
            let exchange = if last {
                let index =
                    self.open(name, request.clone(), None, false, ConnectionOptions::default())?;
                self.slot_at(index)
                    .wait(PART_GONE, |snapshot| snapshot.exchange.head.is_some())
                    .await;
                self.leave(index, Leave::Fin).await;
                connections += 1;
                self.slot_at(index).number()
            } else {
                0
            };
            let what = RunEventKind::Churned {
                connections: connections as u64,
                streams: streams as u64,
                last: exchange,
            };
            self.record_event(at, name, what);
            // Only what grows in the second half shows a leak.
            let patience = match part {
                _ if last => ALL_GONE,
                ..=WITHOUT_WAIT => Duration::ZERO,
                _ => PART_GONE,
            };
            self.read_gauges(name, Some(&baseline), patience).await;
            if part == PARTS / 2 {
                at_half = self.readings.get(name).cloned();
            }
            if last {
                break;
            }
        }
        if at_half.is_some_and(|at_half| self.holds_more(name, &at_half)) {
            sleep(IDLE_CLOSED).await;
            self.read_gauges(name, Some(&baseline), Duration::ZERO).await;
        }
        Ok(())
    }

    /// Whether more producers, connections or descriptors are open than at the earlier readings.
    fn holds_more(&self, name: &str, earlier: &[(Gauge, u64)]) -> bool {
        let now = self.readings.get(name).map(Vec::as_slice).unwrap_or_default();
        now.iter().any(|(gauge, value)| {
            let is_open = matches!(gauge, Gauge::Active | Gauge::Connections | Gauge::Descriptors);
            let mut before = earlier.iter().filter(|(of, _)| of == gauge);
            is_open && before.any(|(_, before)| value.saturating_sub(*before) > FEW)
        })
    }

    /// The request of a new client.
    pub(super) fn subscription(&self) -> Request {
        let mut request = Request::subscribe(self.target.url.as_str());
        request.method.clone_from(&self.target.method);
        for header in &self.target.headers.0 {
            request.headers.set(&header.name, header.value.clone());
        }
        request.body = self.target.body.clone();
        request
    }

    pub(super) async fn pour(&mut self, step: &Pour) -> Result<(), Stop> {
        if !self.has_grown(step) {
            return Ok(());
        }
        let target = self.target;
        let hook = self.publish_hook()?;
        let wanted =
            step.bytes.map_or(target.pour, |bytes| bytes.0) * step.times.map_or(1, |times| times.0);
        let begun = Instant::now();
        let mut events = Numbered {
            mark: format!(
                "sseproof-{}-poured-",
                self.scope.values.get(MARK).map_or("", String::as_str)
            ),
            first: self.poured,
            count: 0,
            size: step.size.map_or(PORTION, |size| size.0).min(wanted),
        };
        let reader = self.named(step.seen_by.as_ref()).filter(|_| step.seen_by.is_some());
        let at = self.client.now();
        let mut stopped = PublishOutcome::Accepted;
        let all = wanted as u64;
        while events.bytes() < all && self.is_of_use(step, (events.bytes(), all), begun.elapsed()) {
            let number = events.first + events.count;
            stopped = match self.filled(hook.call(target, &events.data(number)))? {
                HookCall::Send(request) => sent(self.client, request).await,
                HookCall::Run(command) => match command::run(&command, ANSWER, 0).await {
                    Ok(()) => PublishOutcome::Accepted,
                    Err(error) => PublishOutcome::Failed(error.to_string()),
                },
                HookCall::Unsendable(why) => PublishOutcome::Unsendable(why),
            };
            if stopped != PublishOutcome::Accepted {
                break;
            }
            events.count += 1;
            if let Some(reader) = &reader
                && let Some(expected) = number.checked_sub(BEHIND)
            {
                let has = |snapshot: &Snapshot<'_>| newest(snapshot, &events) >= Some(expected);
                if expected >= events.first
                    && self.slot(reader).wait(SEEN, has).await == Waited::TimedOut
                {
                    let why = format!(
                        "`{}` did not receive event {expected} within {SEEN:?}",
                        reader.name
                    );
                    stopped = PublishOutcome::Failed(why);
                    break;
                }
            }
        }
        self.poured += events.count;
        let what = RunEventKind::Poured { bytes: events.bytes(), stopped, events: Some(events) };
        self.record_event(at, "", what);
        Ok(())
    }

    /// Whether the memory grew as the step requires.
    fn has_grown(&self, step: &Pour) -> bool {
        let Some(Grown { from, to }) = &step.if_grown else { return true };
        let memory = |name: &Name| {
            let readings = self.readings.get(&name.0)?;
            readings.iter().find(|(gauge, _)| *gauge == Gauge::Memory).map(|(_, bytes)| *bytes)
        };
        let by = step.at_least.map_or(0, |bytes| bytes.0 as u64);
        let grown = memory(from).zip(memory(to)).map(|(from, to)| to.saturating_sub(from));
        grown.is_some_and(|grown| grown >= by)
    }

    /// Whether more is to be published after these bytes and this time.
    fn is_of_use(&mut self, step: &Pour, (poured, wanted): (u64, u64), elapsed: Duration) -> bool {
        let within = step.within.map_or(POURING, |within| within.0);
        if elapsed >= within {
            return false;
        }
        if let Some(least) = step.at_least
            && elapsed >= PACED
            && 2.0 * (poured as f64) * within.as_secs_f64()
                < (least.0 as f64) * elapsed.as_secs_f64()
        {
            return false;
        }
        let past = self.named(step.past.as_ref()).filter(|_| step.past.is_some());
        let Some(past) = past.filter(|_| elapsed >= PAST_AFTER) else { return true };
        if elapsed >= SLOWED_AFTER && poured < wanted / SLOWED {
            return false;
        }
        let unread = self.slot(&past).unread();
        !unread.is_some_and(|unread| unread.is_ok_and(|unread| unread + PAST <= poured))
    }

    pub(super) fn read_on(&mut self, step: &Stall) {
        let Some(connection) = self.named(step.from.as_ref()) else { return };
        self.unread(&connection);
        let at = self.client.now();
        let slot = self.slot(&connection);
        slot.read_on();
        let exchange = slot.number();
        self.record_event(at, &connection.name, RunEventKind::ReadOn { exchange });
    }

    /// Records how much a client that does not read has left unread.
    pub(super) fn unread(&mut self, connection: &Connection) {
        let slot = self.slot(connection);
        let (exchange, unread) = (slot.number(), slot.unread());
        if let Some(bytes) = unread {
            let what = RunEventKind::Unread { exchange, bytes };
            self.record_event(self.client.now(), &connection.name, what);
        }
    }

    pub(super) fn stall(&mut self, step: &Stall) {
        let Some(connection) = self.named(step.from.as_ref()) else { return };
        let at = self.client.now();
        let slot = self.slot(&connection);
        slot.stall();
        slot.not_judged();
        let exchange = slot.number();
        self.record_event(at, &connection.name, RunEventKind::Stalled { exchange });
    }
}

/// The highest number among the last events that the client received.
fn newest(snapshot: &Snapshot<'_>, events: &Numbered) -> Option<u64> {
    let last = snapshot.items.iter().rev().take(2 * BEHIND as usize);
    last.filter_map(|(_, item)| match item {
        Item::Event(event) => events.number(&event.data),
        _ => None,
    })
    .max()
}

/// Connects this many clients at once, and disconnects each after its response headers; returns how
/// many got a stream.
async fn visits(client: &Client, request: &Request, times: usize) -> usize {
    let mut visits = JoinSet::new();
    for _ in 0..times {
        let (client, request) = (client.clone(), request.clone());
        visits.spawn(async move { visit(&client, &request).await });
    }
    let ended = visits.join_all().await;
    ended.into_iter().flatten().filter(Exchange::is_stream).count()
}

/// Publishes one portion, which no exchange of the record shows.
async fn sent(client: &Client, request: Request) -> PublishOutcome {
    let label = request.label();
    let mut live = match client.open(request) {
        Ok(live) => live,
        Err(error) => return PublishOutcome::Unsendable(error.to_string()),
    };
    live.wait(ANSWER, |progress| progress.ended).await;
    let status = live.leave(Leave::Fin).await.status();
    outcome(&label, status, || format!("{label} had no answer in {ANSWER:?}"))
}

async fn visit(client: &Client, request: &Request) -> Option<Exchange> {
    let limits = client.limits();
    let patience = limits.connect + limits.head;
    let mut live = client.open(request.clone()).ok()?;
    live.wait(patience, |progress| progress.exchange.head.is_some()).await;
    Some(live.leave(Leave::Fin).await)
}
