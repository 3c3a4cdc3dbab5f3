//! Reads the gauges of a server: over HTTP if the target says how, and from its processes.

use std::time::Duration;

use sseproof_files::model::{self, Need};
use sseproof_files::{GaugeHook, RestartHook, Target};
use sseproof_net::{Client, Leave, local_port};
use sseproof_record::{Gauge, Lack, Reading, RunEventKind};
use tokio::time::{Instant, sleep};

use super::play::Stop;
use super::scenario_run::ScenarioRun;

/// The default time for numbers to return to an earlier reading: a little more than the rules on
/// producers require.
const WITHIN: Duration = Duration::from_millis(5_100);
/// How long to wait until numbers no longer change: earlier connections may still be closing.
const SETTLE: Duration = Duration::from_secs(1);
/// The pauses between readings: short at first, so that a quick server costs little time.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
];
/// The time limit of one gauge.
const ANSWER: Duration = Duration::from_secs(2);

type Readings = Vec<(Gauge, Result<u64, String>)>;

impl ScenarioRun<'_> {
    /// Whether the target offers what the scenario needs. If a probe lacks something, the rules
    /// report it.
    pub(super) async fn has_what_it_needs(&mut self) -> Result<bool, Stop> {
        let scenario = self.scenario;
        let target = self.target;
        for need in &scenario.needs {
            let lack = match need.value {
                Need::Publish if target.publish.is_none() => Lack::Publish,
                Need::Publish
                    if target.publisher().is_none()
                        && scenario.is_probe()
                        && !scenario.publishes_only_payloads() =>
                {
                    Lack::Stream
                }
                Need::Restart
                    if match target.restart {
                        None => true,
                        Some(RestartHook::Again) => target.server.is_none(),
                        Some(_) => false,
                    } =>
                {
                    Lack::Restart
                }
                Need::Start if target.server.is_none() => Lack::Start,
                Need::Via if target.via.is_none() => Lack::Via,
                Need::Active if target.active.is_none() && self.process().is_err() => Lack::Active,
                Need::Http2 if !self.client.may_speak_http2(&target.url) => Lack::Http2,
                Need::Memory if target.memory.is_none() && self.process().is_err() => Lack::Process,
                _ => continue,
            };
            if !scenario.is_probe() {
                self.place = need.place;
                let line = lack.line();
                return Err(self.impossible(match lack {
                    Lack::Http2 => "this needs HTTP/2: check an https:// URL, or add --http 2 if the server speaks it without TLS".to_owned(),
                    _ => format!("the target lacks what this scenario needs: add `{line}` to the file of --target"),
                }));
            }
            let now = self.client.now();
            if let (Lack::Active | Lack::Process, Err(why)) = (lack, self.process()) {
                let gauge = Gauge::Connections;
                let reading = Reading { gauge, value: Err(why), against: None };
                self.record_event(now, "", RunEventKind::Reading(reading));
            }
            self.record_event(now, "", RunEventKind::Lacking(lack));
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads until the numbers no longer change, or until they are not above an earlier reading.
    pub(super) async fn gauge(&mut self, step: &model::Gauge) {
        if let Some(settle) = step.settle {
            self.settle(settle.0).await;
        }
        let against = step.until.as_ref().map(|until| until.at_most.0.as_str());
        let within = step.until.as_ref().map_or(SETTLE, |until| match &until.unless {
            Some(earlier) if self.is_out.contains(&earlier.0) => Duration::ZERO,
            _ => until.within.map_or(WITHIN, |within| within.0),
        });
        self.read_gauges(&step.name.0, against, within).await;
    }

    /// Waits until nothing is open any more, but not longer than this time.
    async fn settle(&mut self, within: Duration) {
        let deadline = Instant::now() + within;
        while Instant::now() < deadline {
            let now = self.read_once().await;
            let mut counted = self.counted(&now).peekable();
            if counted.peek().is_some() && counted.all(|(_, value)| value == 0) {
                return;
            }
            drop(counted);
            sleep(PAUSES[1]).await;
        }
    }

    /// Reads the gauges until the numbers are at most those of the earlier reading (without one:
    /// until they no longer change), and keeps the last reading.
    pub(super) async fn read_gauges(
        &mut self,
        name: &str,
        against: Option<&str>,
        within: Duration,
    ) {
        let deadline = Instant::now() + within;
        let mut pauses = PAUSES.into_iter();
        let mut pause = PAUSES[0];
        let mut last = self.read_once().await;
        loop {
            let settled = match against {
                Some(earlier) => self.is_back(&last, earlier),
                None => false,
            };
            if settled || Instant::now() >= deadline {
                break;
            }
            pause = pauses.next().unwrap_or(pause);
            sleep(pause).await;
            let now = self.read_once().await;
            let still = against.is_none() && alive(&now).eq(alive(&last));
            last = now;
            if still {
                break;
            }
        }
        if against.is_some_and(|earlier| !self.is_back(&last, earlier)) {
            self.is_out.insert(name.to_owned());
        }
        let at = self.client.now();
        let known = last.iter().filter_map(|(gauge, value)| Some((*gauge, *value.as_ref().ok()?)));
        self.readings.insert(name.to_owned(), known.collect());
        for (gauge, value) in last {
            let against = against.map(str::to_owned);
            self.record_event(at, name, RunEventKind::Reading(Reading { gauge, value, against }));
        }
    }

    /// Whether no number of producers or connections exceeds that of the earlier reading.
    fn is_back(&self, now: &Readings, earlier: &str) -> bool {
        let before = self.readings.get(earlier).map(Vec::as_slice).unwrap_or_default();
        self.counted(now).all(|(gauge, value)| {
            before.iter().filter(|(of, _)| *of == gauge).all(|(_, before)| value <= *before)
        })
    }

    /// The numbers of producers and connections that clients account for.
    fn counted<'n>(&self, now: &'n Readings) -> impl Iterator<Item = (Gauge, u64)> + use<'n> {
        // A proxy may keep idle connections to the server.
        let only_active = self.target.active.is_some() && self.scenario.needs(Need::Via);
        alive(now).filter(move |(gauge, _)| !only_active || *gauge == Gauge::Active)
    }

    async fn read_once(&mut self) -> Readings {
        let mut readings = Readings::new();
        // First the numbers that the requests below would change.
        match self.process() {
            Ok(vitals) => readings.extend([
                (Gauge::Connections, Ok(vitals.connections)),
                (Gauge::Descriptors, Ok(vitals.descriptors)),
                (Gauge::Threads, Ok(vitals.threads)),
                (Gauge::Memory, Ok(vitals.memory)),
            ]),
            Err(why) if self.target.active.is_none() => {
                readings.push((Gauge::Connections, Err(why)));
            }
            Err(_) => {}
        }
        let target = self.target;
        for (gauge, hook) in [(Gauge::Active, &target.active), (Gauge::Memory, &target.memory)] {
            if let Some(hook) = hook {
                let value = ask(self.client, target, hook).await;
                readings.retain(|(of, _)| *of != gauge);
                readings.push((gauge, value));
            }
        }
        readings
    }

    /// Connections, descriptors, threads and memory of the server's processes.
    fn process(&mut self) -> Result<sseproof_net::Vitals, String> {
        let port = local_port(&self.target.url)
            .ok_or("the server is on another machine: its process cannot be read")?;
        self.watcher.look(port, self.target.process)
    }
}

/// The number that a gauge shows. Its exchange is left out of the record, because gauges are read
/// often.
async fn ask(client: &Client, target: &Target, hook: &GaugeHook) -> Result<u64, String> {
    let request =
        hook.request.request(target).map_err(|name| format!("`${{{name}}}` has no value"))?;
    let label = request.label();
    let mut live = client.open(request).map_err(|error| error.to_string())?;
    live.wait(ANSWER, |progress| progress.ended).await;
    let exchange = live.leave(Leave::Fin).await;
    match exchange.status() {
        Some(200..=299) => {
            let body = exchange.body_bytes();
            hook.number(&String::from_utf8_lossy(&body)).map_err(|why| format!("{label}: {why}"))
        }
        Some(status) => Err(format!("{label} answered {status}")),
        None => Err(format!("{label} had no answer in {ANSWER:?}")),
    }
}

fn alive(readings: &Readings) -> impl Iterator<Item = (Gauge, u64)> {
    readings.iter().filter_map(|(gauge, value)| match (gauge, value) {
        (Gauge::Active | Gauge::Connections, Ok(value)) => Some((*gauge, *value)),
        _ => None,
    })
}
