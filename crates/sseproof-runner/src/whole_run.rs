//! All scenarios of a run, in turns: one alone, or several side by side.
//!
//! A verdict must not depend on the company of a probe.
//! So the first probe, which is alone, also shows if the server serves two clients at once and how
//! fast its events come; and a probe that then got less beside others is played again, alone.

use std::time::Duration;

use sseproof_files::model::{Need, Purpose};
use sseproof_files::{Scenario, Target, ToHead};
use sseproof_net::Client;
use sseproof_record::{Ending, Exchange};

use super::company::{BESIDE_FROM, Company, side_by_side};
use super::pace::Pace;
use super::scenario_run::is_mute_to_head;
use super::turns::{Turn, turns};
use super::{Cancel, OnProgress, Outcome, Results, RunProgress, Stopped, evidence};
use super::{late_headers, run};

/// How many times longer than the slowest response headers of the first streams a HEAD may take, and the
/// shortest time: from there on the rules take silence for one, and not for slowness.
const HEAD_PATIENCE: u32 = 8;
const SHORTEST_HEAD_PATIENCE: Duration = Duration::from_secs(2);

/// Plays the scenarios into one transcript, in turns; last the probe that finds late headers, if
/// none came in the usual time.
///
/// `started` is the time at which the run started, RFC 3339, for the transcript.
pub async fn run_all(
    scenarios: &[&Scenario],
    target: &Target,
    client: &Client,
    started: &str,
    on_progress: OnProgress<'_>,
    mut cancel: Cancel<'_>,
) -> Results {
    let mut whole = WholeRun::new(target, client, started);
    for turn in turns(scenarios, target) {
        whole.turn(&turn, &mut *on_progress, cancel.as_mut()).await;
        on_progress(RunProgress::Kept(&whole.results.transcript));
    }
    whole.note_a_late_loss();
    if let Some(probe) = scenarios.iter().find(|scenario| is_patient(scenario)) {
        let WholeRun { results, target, .. } = &mut whole;
        late_headers::run_last(probe, results, target, client, on_progress, cancel).await;
    }
    whole.results
}

fn is_patient(scenario: &Scenario) -> bool {
    scenario.purpose() == Purpose::FindLateHeaders
}

struct WholeRun<'r> {
    client: &'r Client,
    target: Target,
    results: Results,
    is_proxy_mute: bool,
    /// `None` if the server does not serve two clients at the same time.
    pace: Option<Pace>,
}

impl<'r> WholeRun<'r> {
    fn new(target: &Target, client: &'r Client, started: &str) -> Self {
        let mut results = Results::default();
        results.transcript.target = sseproof_record::Target {
            url: target.url.clone(),
            method: target.method.clone(),
            profile: target.profile.clone(),
        };
        results.transcript.started = started.to_owned();
        Self { client, target: target.clone(), results, is_proxy_mute: false, pace: None }
    }

    async fn turn(&mut self, turn: &Turn<'_>, on_progress: OnProgress<'_>, mut cancel: Cancel<'_>) {
        let mut together = match self.company(turn) {
            Some(company) => {
                let (client, cancel) = (self.client, cancel.as_mut());
                let played =
                    side_by_side(turn, &self.target, client, company, &mut *on_progress, cancel);
                played.await
            }
            None => Vec::new(),
        }
        .into_iter();
        for scenario in turn.all() {
            let kept = together.next().flatten();
            if self.leaves_out(scenario) {
                continue;
            }
            let (first, outcome) = match kept {
                Some(outcome) => (BESIDE_FROM, outcome),
                None => {
                    let first = self.results.transcript.exchanges.len() + 1;
                    let (target, client, cancel) = (&self.target, self.client, cancel.as_mut());
                    (first, run(scenario, target, client, first, &mut *on_progress, cancel).await)
                }
            };
            self.take(scenario, first, outcome);
        }
    }

    /// How the probes of the turn are played at the same time; `None` if one after the other.
    fn company(&self, turn: &Turn<'_>) -> Option<Company<'_>> {
        if turn.all().count() < 2 || self.target.one_by_one || self.results.stopped.is_some() {
            return None;
        }
        if turn.apart {
            return Some(Company::Apart);
        }
        // Events that a probe publishes into a silent stream would reach the others, too.
        self.pace.as_ref().filter(|_| !self.target.is_silent).map(Company::OneServer)
    }

    fn leaves_out(&mut self, scenario: &Scenario) -> bool {
        let pointless = scenario.is_probe() && self.results.stopped.is_some();
        let over = matches!(
            &self.results.stopped,
            Some(
                Stopped::Unreachable(_)
                    | Stopped::Lost(_)
                    | Stopped::TooMuch(_)
                    | Stopped::Cancelled
            )
        );
        if pointless || over {
            self.results.left_out.push(scenario.id.clone());
            return true;
        }
        // Waiting again for a proxy that did not respond would only take time.
        self.is_proxy_mute && scenario.is_probe() && scenario.needs(Need::Via)
    }

    /// Adds the outcome of a scenario whose exchanges count from `first`.
    fn take(&mut self, scenario: &Scenario, first: usize, mut outcome: Outcome) {
        let results = &mut self.results;
        outcome.renumber(results.transcript.exchanges.len() + 1 - first);
        if self.client.is_spent() {
            // The client has stopped reading: what it did not see is not the server's fault.
            outcome.failures.clear();
            results.left_out.push(scenario.id.clone());
        }
        if outcome.stopped.is_some() {
            results.stopped = outcome.stopped;
        } else if scenario.is_probe() {
            let exchanges = outcome.exchanges.as_slice();
            let finds = scenario.purpose() == Purpose::FindStream;
            let stopped = if finds { no_stream(exchanges) } else { None };
            if finds {
                self.target.is_silent |= exchanges.iter().any(is_fed);
                self.pace = Pace::of(exchanges);
                self.target.to_head = slowest_head(exchanges)
                    .map_or_else(ToHead::default, |head| {
                        ToHead::Within((head * HEAD_PATIENCE).max(SHORTEST_HEAD_PATIENCE))
                    });
            }
            if exchanges.iter().any(is_mute_to_head) {
                self.target.to_head = ToHead::Never;
            }
            results.stopped = stopped.or_else(|| lost(exchanges)).or(results.stopped.take());
            self.is_proxy_mute |= is_mute(exchanges);
        }
        results.transcript.exchanges.extend(outcome.exchanges);
        results.transcript.run_events.extend(outcome.run_events);
        results.failures.extend(outcome.failures);
        if self.client.is_spent() && results.stopped.is_none() {
            results.stopped = Some(Stopped::TooMuch(self.client.limits().run_bytes));
        }
    }

    /// Also if the server was lost only at the very end.
    fn note_a_late_loss(&mut self) {
        if self.results.stopped.is_none()
            && let Some(last) = self.results.transcript.exchanges.last()
            && last.judged
        {
            self.results.stopped = lost(std::slice::from_ref(last));
        }
    }
}

fn no_stream(exchanges: &[Exchange]) -> Option<Stopped> {
    let first = exchanges.first()?;
    if !exchanges.iter().any(Exchange::is_stream) {
        return Some(Stopped::NoStream(evidence::answer(first)));
    }
    evidence::flood(exchanges).map(Stopped::NoStream)
}

/// How long the slowest of the response headers took.
fn slowest_head(exchanges: &[Exchange]) -> Option<Duration> {
    let took =
        |exchange: &Exchange| Some(exchange.head.as_ref()?.at.saturating_sub(exchange.started));
    exchanges.iter().filter_map(took).max()
}

/// Whether events that the run published arrived in the stream, which was silent before.
fn is_fed(exchange: &Exchange) -> bool {
    let body = exchange.body_bytes();
    exchange.published.iter().any(|one| {
        let data = one.data.as_bytes();
        body.windows(data.len().max(1)).any(|window| window == data)
    })
}

/// Whether requests went through the proxy, and none got a response.
fn is_mute(exchanges: &[Exchange]) -> bool {
    let mut asked = exchanges.iter().filter(|exchange| exchange.via).peekable();
    asked.peek().is_some() && asked.all(|exchange| exchange.head.is_none())
}

/// The reason to stop if none of these exchanges reached the server. Exchanges through the proxy do
/// not count: an unreachable proxy proves nothing about the server.
fn lost(exchanges: &[Exchange]) -> Option<Stopped> {
    let last = exchanges.iter().rfind(|exchange| !exchange.via)?;
    let unreached = |exchange: &Exchange| {
        matches!(
            exchange.end.how,
            Ending::Unresolved(_) | Ending::Unconnected(_) | Ending::Handshake(_)
        )
    };
    let all = exchanges.iter().filter(|exchange| !exchange.via).all(unreached);
    all.then(|| Stopped::Lost(evidence::answer(last)))
}
