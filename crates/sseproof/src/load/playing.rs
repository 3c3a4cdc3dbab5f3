//! The rounds of this process: for each, a server, the meeting with other shards, and the measurement.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::anyhow;
use sseproof_files::Readiness;
use sseproof_load::{Found, Route};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{Outcome, Transport};
use sseproof_net::ConnectionOptions;
use tokio::sync::watch;
use url::Url;

use super::args::Load;
use super::kept::{self, Keeper};
use super::live::Live;
use super::meeting::{Meeting, Shards};
use super::options::{LoadOptions, Side};
use super::processes::Workers;
use super::prometheus::Prometheus;
use super::round::{Round, SETTLING, sampling};
use super::server::Embedded;
use super::store::Store;
use super::{conditions, lasting, tool};
use crate::exit::{Blame, Blamed as _, Exit};
use crate::secrets;
use crate::started::{Started, wait_for};

const STARTING: Duration = Duration::from_secs(10);

/// The parts that all rounds of this process share.
pub(super) struct Playing<'a> {
    pub(super) arguments: &'a Load,
    pub(super) given: &'a LoadOptions,
    pub(super) threads: u64,
    pub(super) part: Part,
    pub(super) fingerprint: &'a str,
    pub(super) store: Option<Arc<Store>>,
    /// The start of the first round, if it is given.
    pub(super) at: Option<SystemTime>,
    pub(super) page: Option<Prometheus>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Playing<'_> {
    pub(super) async fn play(
        &self,
        index: usize,
        found: &mut Option<Found>,
        number: u32,
    ) -> Result<Outcome, Blame> {
        let Self { arguments, given, threads, .. } = *self;
        let side = &given.sides[index];
        let embedded = if side.is_embedded() { Some(Embedded::start().await?) } else { None };
        let connection = side.connection(arguments, given).usage()?;
        let address = side.address().and_then(|address| Url::parse(&address).ok());
        let route = address.map_or(Route::Direct, |address| Route::of(&connection, &address));
        let started = self.server(side, &connection).await?;
        let origin = embedded.as_ref().map_or("", |embedded| embedded.origin.as_str());
        let mut round = round(arguments, given, side, &connection, origin, threads);
        round.part = self.part;
        round.fingerprint = self.fingerprint;
        round.number = number;
        let own = embedded.as_ref().and_then(Embedded::id);
        let own = own.or_else(|| started.as_ref().and_then(Started::id));
        round.server = round.server.or(own);
        let outcome = self.measure(&mut round, index, found).await;
        if let Some(embedded) = embedded {
            embedded.stop().await;
        }
        if let Some(started) = started {
            started.stop(None).await;
        }
        outcome.map(|mut outcome| {
            outcome.run.conditions =
                conditions::of(&given.file.plan, arguments, threads, side.is_embedded(), &route);
            secrets::redact(std::slice::from_mut(&mut outcome));
            outcome
        })
    }

    /// The server of `--server-cmd`, when it answers.
    async fn server(
        &self,
        side: &Side,
        connection: &ConnectionOptions,
    ) -> Result<Option<Started>, Blame> {
        let (Some(command), Some(url)) = (&self.arguments.server_cmd, side.address()) else {
            return Ok(None);
        };
        let mut server = Started::new(command, &Readiness::Listening).unreachable()?;
        // A WebSocket starts with an HTTP request.
        let url = url.replacen("ws", "http", usize::from(url.starts_with("ws")));
        let waiting =
            wait_for(&url, &Readiness::Listening, STARTING, Some(&mut server), connection);
        let ready = tokio::select! {
            ready = waiting => ready.unreachable(),
            () = self.stopped() => Err(interrupted_before("the server was ready")),
        };
        if let Err(blame) = ready {
            server.stop(None).await;
            return Err(blame);
        }
        Ok(Some(server))
    }

    async fn measure(
        &self,
        round: &mut Round<'_>,
        index: usize,
        found: &mut Option<Found>,
    ) -> Result<Outcome, Blame> {
        let (arguments, plan) = (self.arguments, &self.given.file.plan);
        if found.is_none() {
            *found = round.find().await?;
        }
        round.found.clone_from(found);
        // Memory that an earlier round has left would hide the need of a later one, so each of several
        // rounds runs in a new process.
        let is_one_of_many = self.given.sides.len() > 1 || arguments.rounds > 1;
        let workers = (arguments.processes > 1 || is_one_of_many).then(|| Workers {
            count: arguments.processes,
            side: index,
            origin: round.origin.to_owned(),
            found: found.clone(),
            part: round.part,
            sampling: sampling(plan),
            settling: SETTLING,
        });
        round.reach().await?;
        let transport = round.transport;
        let key = match transport {
            Transport::Sse => "sse",
            Transport::WebSocket => "websocket",
        };
        let key = format!("round-{}-{key}", round.number);
        let at = self.at.filter(|_| round.number == 1 && index == 0);
        let meeting = match (&self.store, at) {
            (Some(store), at) => Meeting::Store(Shards {
                store,
                part: self.part,
                fingerprint: self.fingerprint,
                at,
                within: arguments.start_within,
            }),
            (None, Some(at)) => Meeting::At(at),
            (None, None) => Meeting::Alone,
        };
        let begin = tokio::select! {
            // A run that waits for no other process has a result, however short it is.
            biased;
            begin = meeting.begin(&key) => begin?,
            () = self.stopped() => return Err(interrupted_before("all shards were ready")),
        };
        let keeper = self.store.as_ref().map(|store| {
            let run = round.run(jiff::Timestamp::now().to_string(), begin, 1);
            Keeper::new(Arc::clone(store), self.part, &key, kept::unfinished(run), tool())
        });
        let name = format!("round {}, {}", round.number, transport.name());
        let page = self.page.clone().map(|page| (page, transport));
        let parts = self.threads * arguments.processes;
        let mut live = Live::new(name, parts, plan.interval, lasting(plan), page);
        round
            .play(begin, workers, self.stop.clone(), |interval| {
                live.interval(interval);
                if let Some(keeper) = &keeper {
                    keeper.interval(interval);
                }
            })
            .await
    }

    async fn stopped(&self) {
        // It never fails: its sender lives as long as the run.
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}

fn interrupted_before(what: &str) -> Blame {
    Blame { exit: Exit::Interrupted, error: anyhow!("interrupted before {what}") }
}

pub(super) fn round<'a>(
    arguments: &'a Load,
    given: &'a LoadOptions,
    side: &'a Side,
    connection: &'a ConnectionOptions,
    origin: &'a str,
    threads: u64,
) -> Round<'a> {
    Round {
        file: &given.file,
        transport: side.transport,
        url: &side.url,
        origin,
        connection,
        bind: arguments.bind.as_ref().map_or(&[], |addresses| &addresses.0),
        part: Part::WHOLE,
        threads,
        number: 1,
        fingerprint: "",
        server: arguments.server_pid,
        found: None,
    }
}
