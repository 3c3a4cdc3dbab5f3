//! One round: one plan, played once over one transport.

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, anyhow};
use sseproof_files::{Body, HookCall, PlanFile, Template};
use sseproof_load::{
    Found, Generator, PerClient, Publisher, Route, Target, Update, find, first_events, reach,
    resource, run,
};
use sseproof_load_model::schedule::Part;
use sseproof_load_model::{
    Counter, Http, Interval, Outcome, Plan, Resources, Run, Sample, Sequencing, Shard, Stage,
    Stamping, Transport, Workload,
};
use sseproof_net::{ConnectionOptions, Proxy};
use sseproof_runner::run_command;
use sseproof_units::Value;
use tokio::sync::watch;
use url::Url;

use super::meeting::{Begin, instant, late};
use super::processes::{self, Task, Workers};
use crate::exit::{Blame, Blamed as _};
use crate::screen;

pub(super) struct Round<'a> {
    pub(super) file: &'a PlanFile,
    pub(super) transport: Transport,
    pub(super) url: &'a Template,
    /// The origin of the embedded server; empty if there is none.
    pub(super) origin: &'a str,
    pub(super) connection: &'a ConnectionOptions,
    pub(super) bind: &'a [IpAddr],
    pub(super) part: Part,
    pub(super) threads: u64,
    pub(super) number: u32,
    /// Of the plan: see [`Run::fingerprint`].
    pub(super) fingerprint: &'a str,
    pub(super) server: Option<u32>,
    /// Where events have their stamp and number, if the plan leaves it open.
    pub(super) found: Option<Found>,
}

/// How long the server is measured after its clients have disconnected.
pub(super) const SETTLING: Duration = Duration::from_secs(2);
/// The time before the first action, so that all threads start together.
const LEAD: Duration = Duration::from_millis(300);
/// The start of a process may be so late, and its clients still begin as the plan says.
const LATE: Duration = Duration::from_millis(100);
/// The longest time between two readings of memory and processor time.
const SAMPLING: Duration = Duration::from_millis(500);

impl Round<'_> {
    fn streams_per_connection(&self) -> Option<u32> {
        match (self.transport, self.file.plan.http) {
            (Transport::Sse, Http::Two { streams_per_connection }) => Some(streams_per_connection),
            _ => None,
        }
    }

    fn is_http2(&self) -> bool {
        self.streams_per_connection().is_some()
    }

    fn url(&self, number: u64) -> String {
        let url = self.url.fill(number);
        if !url.starts_with('/') {
            return url;
        }
        let origin = match self.transport {
            Transport::Sse => self.origin.to_owned(),
            Transport::WebSocket => self.origin.replacen("http", "ws", 1),
        };
        format!("{origin}{url}")
    }

    pub(super) async fn target(&self) -> Result<Target, Blame> {
        let first = self.url(0);
        let url =
            Url::parse(&first).with_context(|| format!("`{first}` is not a valid URL")).usage()?;
        let is_secure = matches!(url.scheme(), "https" | "wss");
        let tls = if is_secure {
            let alpn = if self.is_http2() { "h2" } else { "http/1.1" };
            let config = self.connection.tls.client_config(&[alpn]);
            Some(Arc::new(config.map_err(|message| anyhow!(message)).usage()?))
        } else {
            None
        };
        let route = Route::of(self.connection, &url);
        let target = Target::through(url, tls, route).await;
        let mut target = target.with_context(|| first.clone()).unreachable()?;
        if self.url.same().is_none() {
            let (template, origin) = (self.url.clone(), target.url.clone());
            target.path = PerClient::Made(Arc::new(move |number| {
                let filled = template.fill(number);
                let url = origin.join(&filled).unwrap_or_else(|_| origin.clone());
                url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
            }));
        }
        target.transport = self.transport;
        target.method.clone_from(&self.file.method);
        target.headers = self
            .file
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), per_client(value)))
            .collect();
        target.body = match &self.file.body {
            None => None,
            Some(Body::Text(text) | Body::Json(text)) => Some(per_client(text)),
            Some(Body::File(path)) => {
                let cannot = || format!("cannot read the body, {}", path.display());
                Some(PerClient::Same(fs::read_to_string(path).with_context(cannot).usage()?))
            }
        };
        self.bind.clone_into(&mut target.bind);
        Ok(target)
    }

    async fn publisher(&self) -> Result<Option<Publisher>, Blame> {
        if self.file.plan.publishing.is_none() {
            return Ok(None);
        }
        let (file, url) = (self.file.clone(), self.url(0).replacen("ws", "http", 1));
        let first = file.publication(&url, "{}").map_err(|message| anyhow!(message)).usage()?;
        let to = match first {
            Some(HookCall::Send(request)) => request.url,
            _ => return Ok(Some(by_command(file, url))),
        };
        let to = Url::parse(&to).context("the URL of `publish`").usage()?;
        let tls = match to.scheme() {
            "https" => {
                let config = self.connection.tls.client_config(&["http/1.1"]);
                Some(Arc::new(config.map_err(|message| anyhow!(message)).usage()?))
            }
            _ => None,
        };
        let route = Route::of(self.connection, &to);
        let target = Target::through(to, tls, route).await.context("the URL of `publish`");
        let target = target.unreachable()?;
        let proxy = target.asked_proxy().cloned();
        Ok(Some(Publisher::requests(target, move |emission| {
            match file.publication(&url, &emission.data)? {
                Some(HookCall::Send(request)) => bytes(&request, proxy.as_ref()),
                _ => Err("nothing to send".to_owned()),
            }
        })))
    }

    pub(super) async fn reach(&self) -> Result<(), Blame> {
        let target = self.target().await?;
        let through = match &target.route {
            Route::Direct => String::new(),
            Route::Unix(path) => format!(" over the unix socket {}", path.display()),
            Route::Proxy(proxy) => format!(" through the proxy {}", proxy.url()),
        };
        let reached = reach(&self.file.plan, target).await;
        reached.with_context(|| format!("cannot connect to {}{through}", self.url(0))).unreachable()
    }

    /// Looks where the first events have what the plan leaves open; `None` if it leaves nothing open.
    pub(super) async fn find(&self) -> Result<Option<Found>, Blame> {
        let plan = &self.file.plan;
        if plan.stamping != Stamping::Auto && plan.sequencing != Sequencing::Auto {
            return Ok(None);
        }
        screen::progress(&[], "reading the first events, for 5 s at most");
        let events = first_events(plan, self.target().await?).await;
        screen::progress(&[], "");
        Ok(Some(find(&events, &plan.stamping, &plan.sequencing)))
    }

    fn plan(&self) -> Plan {
        let plan = self.file.plan.clone();
        let Some(found) = &self.found else { return plan };
        Plan {
            restarts_numbers: plan.sequencing == Sequencing::Auto,
            stamping: found.stamping.clone(),
            sequencing: found.sequencing.clone(),
            ..plan
        }
    }

    async fn generator(
        &self,
        start: tokio::time::Instant,
        settling: Duration,
    ) -> Result<Generator, Blame> {
        let (target, publisher) = (self.target().await?, self.publisher().await?);
        let plan = self.plan();
        let sampling = sampling(&plan);
        let (part, threads) = (self.part, self.threads);
        Ok(Generator { plan, target, publisher, part, threads, start, sampling, settling })
    }

    pub(super) async fn work(&self, task: &Task, stop: watch::Receiver<bool>) -> Result<(), Blame> {
        let generator = self.generator(task.start(), Duration::ZERO).await?;
        let played = run(generator, stop, |news| {
            processes::write_news(&news);
            None
        })
        .await;
        processes::write_end(&played);
        Ok(())
    }

    /// The run as far as it is known before it begins; `processes` play it.
    pub(super) fn run(&self, started: String, begin: Begin, processes: u64) -> Run {
        let is_embedded = self.url.fill(0).starts_with('/');
        let plan = self.plan();
        let shards = (0..processes).map(|worker| Shard {
            index: self.part.index + self.part.of * worker,
            of: self.part.of * processes,
            complete: true,
            clock: begin.clock,
        });
        Run {
            plan: self.file.plan.name.clone(),
            fingerprint: self.fingerprint.to_owned(),
            // The port of an embedded server differs in each run, and means nothing.
            url: if is_embedded { self.url.fill(0) } else { self.url(0) },
            transport: self.transport,
            streams_per_connection: self.streams_per_connection(),
            compress: self.file.plan.compress,
            objectives: objectives(&self.file.plan.workload),
            round: self.number,
            started,
            interval_ms: u64::try_from(self.file.plan.interval.as_millis()).unwrap_or(u64::MAX),
            shards: shards.collect(),
            stamp: plan.stamping.to_string(),
            sequence: plan.sequencing.to_string(),
            found: self.found.as_ref().map_or_else(Vec::new, |found| found.notes.clone()),
            // The caller knows the arguments, and the end shows the rest.
            ..Run::default()
        }
    }

    /// Plays the round from `begin` on; the server has been reached.
    pub(super) async fn play(
        &self,
        begin: Begin,
        workers: Option<Workers>,
        stop: watch::Receiver<bool>,
        mut each: impl FnMut(&Interval),
    ) -> Result<Outcome, Blame> {
        let started = begin.at.unwrap_or_else(SystemTime::now);
        let started = jiff::Timestamp::try_from(started).unwrap_or_default().to_string();
        let late = begin.at.and_then(late).filter(|late| *late > LATE);
        let stopped = stop.clone();
        let mut unread = None;
        let mut queues = Queues::of(&self.file.plan, self.target().await?.port());
        let hear = |news: Update<'_>, ours: &[u32]| match news {
            Update::Interval(interval) => {
                each(interval);
                None
            }
            Update::Look { at, open, events } => {
                let looked = resource::look(self.server, ours);
                // A worker that has just ended is not an error of the server.
                if looked.is_err()
                    && let Err(error) = resource::look(self.server, &[])
                {
                    unread = Some(error.to_string());
                }
                let (server, generator, kernel) = looked.ok()?;
                let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
                let generator = (!ours.is_empty()).then_some(generator);
                let kernel = Some(kernel);
                let waiting = queues.look();
                Some(Sample { at_ms, open, events, server, generator, kernel, waiting })
            }
        };
        let (played, complete) = match &workers {
            Some(workers) => workers.run(begin, stop, hear).await?,
            None => {
                let start = begin.at.map_or_else(|| tokio::time::Instant::now() + LEAD, instant);
                let generator = self.generator(start, SETTLING).await?;
                let mut hear = hear;
                let ours = [std::process::id()];
                (run(generator, stop, |news| hear(news, &ours)).await, vec![true])
            }
        };
        let count = complete.len() as u64;
        let mut run = self.run(started, begin, count);
        for (shard, complete) in run.shards.iter_mut().zip(complete) {
            shard.complete = complete;
        }
        run.partial = played.broken;
        if *stopped.borrow() {
            run.partial.push("interrupted".to_owned());
        }
        if let Some(error) = unread.filter(|_| self.server.is_some()) {
            run.partial.push(format!("some readings of the server failed: {error}"));
        }
        let resources = Resources { samples: played.samples };
        let mut outcome = Outcome { run, intervals: played.intervals, resources };
        if outcome.total().counters.count(Counter::Streams) == 0 {
            outcome.run.partial.push("no client got a stream, so nothing was measured".to_owned());
        }
        outcome.run.saturated = outcome.saturation(self.threads * count);
        if let Some(late) = late {
            let late = Value::time(late.as_nanos() as f64);
            let said = format!("the start was {late} late: what was due until then, came later");
            outcome.run.saturated.insert(0, said);
        }
        Ok(outcome)
    }
}

/// The receive queues of the generator, read so rarely that it costs next to nothing.
struct Queues {
    port: Option<u16>,
    next: Instant,
}

impl Queues {
    /// Reading takes at most one part of this many of the time.
    const SHARE: u32 = 100;

    /// Only if all clients read as fast as they can: the plan makes events wait for slow clients.
    fn of(plan: &Plan, port: Option<u16>) -> Self {
        let is_slow = matches!(&plan.workload, Workload::Subscribe(plan) if plan.slow.is_some());
        Self { port: port.filter(|_| !is_slow), next: Instant::now() }
    }

    /// The bytes that wait in them, if a reading is due.
    fn look(&mut self) -> Option<u64> {
        let begin = Instant::now();
        let port = self.port.filter(|_| begin >= self.next)?;
        let waiting = resource::waiting(port).ok();
        self.next = begin + begin.elapsed() * Self::SHARE;
        waiting
    }
}

fn objectives(workload: &Workload) -> Vec<String> {
    let Workload::Request(requests) = workload else { return Vec::new() };
    let each = requests.objectives.iter();
    each.map(|(metric, limit)| format!("{} < {}", metric.key(), Value::time(*limit as f64)))
        .collect()
}

/// The time between two readings: short enough for each plateau of a ramp.
pub(super) fn sampling(plan: &Plan) -> Duration {
    let Workload::Subscribe(subscribe) = &plan.workload else { return SAMPLING };
    let pauses = subscribe.stages.iter().filter_map(|stage| match stage {
        Stage::Ramp { over, plateaus, .. } if *plateaus > 1 => {
            Some(over.div_f64(f64::from(*plateaus)).mul_f64(0.1))
        }
        _ => None,
    });
    pauses.min().unwrap_or(SAMPLING).clamp(Duration::from_millis(100), SAMPLING)
}

fn per_client(template: &Template) -> PerClient {
    match template.same() {
        Some(text) => PerClient::Same(text.to_owned()),
        None => {
            let template = template.clone();
            PerClient::Made(Arc::new(move |number| template.fill(number)))
        }
    }
}

fn by_command(file: PlanFile, url: String) -> Publisher {
    let within = file.plan.patience;
    Publisher::tasks(move |emission| {
        let call = file.publication(&url, &emission.data);
        async move {
            match call? {
                Some(HookCall::Run(command)) => {
                    run_command(&command, within, 0).await.map_err(|error| error.to_string())
                }
                _ => Err("nothing to run".to_owned()),
            }
        }
    })
}

/// The request in HTTP/1.1; this proxy gets it in absolute form.
fn bytes(request: &sseproof_http::Request, proxy: Option<&Proxy>) -> Result<Vec<u8>, String> {
    use url::Position::{AfterPort, AfterQuery, BeforeHost, BeforePath, BeforeScheme};

    let url = Url::parse(&request.url).map_err(|error| error.to_string())?;
    let path = &url[if proxy.is_some() { BeforeScheme } else { BeforePath }..AfterQuery];
    let host = &url[BeforeHost..AfterPort];
    let mut bytes = format!("{} {path} HTTP/1.1\r\nHost: {host}\r\n", request.method).into_bytes();
    let mut line = |name: &str, value: &[u8]| {
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    };
    for header in &request.headers.0 {
        line(&header.name, header.value.as_ref());
    }
    if let Some(value) = proxy.and_then(|proxy| proxy.authorization.as_ref()) {
        line("Proxy-Authorization", value);
    }
    line("Content-Length", request.body.len().to_string().as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    Ok(bytes)
}
