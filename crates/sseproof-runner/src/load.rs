//! Steps that do much: many clients that come and go, many bytes, a client that reads nothing.

use std::time::Duration;

use sseproof_files::Act;
use sseproof_files::model::{Churn, Pour, Stall};
use sseproof_net::{Client, Leave};
use sseproof_record::{Exchange, Request, RunEventKind};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::command;
use super::play::Stop;
use super::scenario_run::{ConnectionOptions, ScenarioRun};

/// How many clients come and go if nothing is said.
const TIMES: usize = 200;
/// How many are there at a time if nothing is said.
const AT_A_TIME: usize = 10;
/// How long all of them may take if nothing is said.
const CHURNING: Duration = Duration::from_secs(15);
/// In how many parts they come, with a reading behind each.
const PARTS: usize = 8;
/// How long to wait behind each part until those who left are gone.
const PART_GONE: Duration = Duration::from_millis(500);
/// The same behind the last part.
const ALL_GONE: Duration = Duration::from_secs(5);
/// How many bytes are published at a time: servers refuse bodies that are much longer.
const PORTION: usize = 64 << 10;
/// How long one portion may take to be taken.
const ANSWER: Duration = Duration::from_secs(5);
/// How long pouring may take if nothing is said.
const POURING: Duration = Duration::from_secs(5);

impl ScenarioRun<'_> {
    pub(super) async fn churn(&mut self, step: &Churn) -> Result<(), Stop> {
        let times = step.times.map_or(TIMES, |times| times.0);
        let at_a_time = step.at_a_time.map_or(AT_A_TIME, |at_a_time| at_a_time.0);
        let deadline = Instant::now() + step.within.map_or(CHURNING, |within| within.0);
        let name = step.name.0.as_str();
        let mut request = Request::subscribe(self.target.url.as_str());
        request.method.clone_from(&self.target.method);
        for header in &self.target.headers.0 {
            request.headers.set(&header.name, header.value.clone());
        }
        request.body = self.target.body.clone();

        self.read_gauges(name, None, PART_GONE).await;
        let baseline = format!("{name} at first");
        if let Some(first) = self.readings.get(name).cloned() {
            self.readings.insert(baseline.clone(), first);
        }
        let (mut connections, mut streams) = (0, 0);
        for part in 1..=PARTS {
            let until = times * part / PARTS;
            let at = self.client.now();
            while connections < until && Instant::now() < deadline {
                let some = (until - connections).min(at_a_time);
                streams += visits(self.client, &request, some).await;
                connections += some;
            }
            // Who is given no stream, or only slowly, tells nothing by coming more often.
            let last = part == PARTS || streams == 0 || Instant::now() >= deadline;
            let exchange = if last {
                let index =
                    self.open(name, request.clone(), None, false, ConnectionOptions::default())?;
                self.slot_at(index).wait(PART_GONE, |sight| sight.exchange.head.is_some()).await;
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
            self.happened(at, name, what);
            let patience = if last { ALL_GONE } else { PART_GONE };
            self.read_gauges(name, Some(&baseline), patience).await;
            if last {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn pour(&mut self, step: &Pour) -> Result<(), Stop> {
        let target = self.target;
        let Some(hook) = &target.publish else {
            return Err(self.impossible(
                "the target does not say how to publish: add `publish:` to the target file, or \
                 give --publish 'POST /publish'",
            ));
        };
        let wanted =
            step.bytes.map_or(target.pour, |bytes| bytes.0) * step.times.map_or(1, |times| times.0);
        let deadline = Instant::now() + step.within.map_or(POURING, |within| within.0);
        let portion = "x".repeat(PORTION.min(wanted));
        let at = self.client.now();
        let mut poured = 0;
        let mut stopped = None;
        while poured < wanted && Instant::now() < deadline {
            stopped = match self.filled(hook.act(target, &portion))? {
                Act::Send(request) => not_taken(self.client, request).await,
                Act::Run(command) => {
                    command::run(&command, ANSWER, 0).await.err().map(|error| error.to_string())
                }
            };
            if stopped.is_some() {
                break;
            }
            poured += portion.len();
        }
        self.happened(at, "", RunEventKind::Poured { bytes: poured as u64, stopped });
        Ok(())
    }

    pub(super) fn stall(&mut self, step: &Stall) {
        let Some(connection) = self.named(step.from.as_ref()) else { return };
        let at = self.client.now();
        let slot = self.slot(&connection);
        slot.stall();
        slot.not_judged();
        let exchange = slot.number();
        self.happened(at, &connection.name, RunEventKind::Stalled { exchange });
    }
}

/// Comes that many times at once, and leaves as soon as the head is there; how many were given a
/// stream.
async fn visits(client: &Client, request: &Request, times: usize) -> usize {
    let mut visits = JoinSet::new();
    for _ in 0..times {
        let (client, request) = (client.clone(), request.clone());
        visits.spawn(async move { visit(&client, &request).await });
    }
    let ended = visits.join_all().await;
    ended.into_iter().flatten().filter(Exchange::is_stream).count()
}

/// Publishes; why it was not taken, if it was not.
async fn not_taken(client: &Client, request: Request) -> Option<String> {
    let label = request.label();
    let mut live = match client.open(request) {
        Ok(live) => live,
        Err(error) => return Some(error.to_string()),
    };
    live.wait(ANSWER, |progress| progress.ended).await;
    match live.leave(Leave::Fin).await.status() {
        Some(200..=399) => None,
        Some(status) => Some(format!("{label} answered {status}")),
        None => Some(format!("{label} had no answer in {ANSWER:?}")),
    }
}

/// Asks, and leaves when the head is there.
async fn visit(client: &Client, request: &Request) -> Option<Exchange> {
    let limits = client.limits();
    let patience = limits.connect + limits.head;
    let mut live = client.open(request.clone()).ok()?;
    live.wait(patience, |progress| progress.exchange.head.is_some()).await;
    Some(live.leave(Leave::Fin).await)
}
