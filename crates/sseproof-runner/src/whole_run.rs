//! All scenarios of a run, in turns: one alone, or several side by side.
//!
//! A verdict must not depend on the company of a probe.
//! So the first probe, which is alone, also shows if the server serves two clients at once and how
//! fast its events come; and a probe that then got less beside others is played again, alone.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use sseproof_files::model::{Need, Purpose};
use sseproof_files::{Scenario, Target};
use sseproof_net::Client;
use sseproof_record::{Ending, Exchange};
use tokio::sync::{Semaphore, watch};

use super::pace::Pace;
use super::{Cancel, OnProgress, Outcome, Results, RunProgress, Stopped, evidence};
use super::{late_headers, run};

/// How many probes are played at the same time; most have one connection, some have two. Servers
/// for development often have few threads.
const AT_ONCE: usize = 6;
/// The number of the first exchange of a probe that is played beside others: not 1, since only the
/// first exchange of a run shows that the server cannot be reached at all.
const BESIDE_FROM: usize = 2;

/// Plays the scenarios into one transcript: first the probe that finds the stream, then those that
/// only look at streams, side by side, then the others one after the other; last those that end the
/// server, and the one that finds late headers, if none came in the usual time.
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

/// The scenarios that are played together, in this order.
fn turns<'s>(scenarios: &[&'s Scenario], target: &Target) -> Vec<Vec<&'s Scenario>> {
    let of = |wanted: Part| {
        let is_wanted = move |scenario: &&'s Scenario| Part::of(scenario, target) == Some(wanted);
        scenarios.iter().copied().filter(is_wanted)
    };
    let each = |part| of(part).map(|scenario| vec![scenario]);
    each(Part::First)
        .chain([of(Part::SideBySide).collect()])
        .chain(each(Part::Alone))
        .chain(each(Part::Last))
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    First,
    SideBySide,
    Alone,
    /// Probes that end the server; after the user's scenarios, too.
    Last,
}

impl Part {
    fn of(scenario: &Scenario, target: &Target) -> Option<Self> {
        let Some(options) = &scenario.probe else { return Some(Self::Alone) };
        Some(match options.purpose {
            Purpose::FindStream => Self::First,
            Purpose::FindLateHeaders => return None,
            Purpose::Provoke if scenario.needs(Need::Start) => Self::Last,
            Purpose::Provoke if options.alone => Self::Alone,
            // The silence that it waits for is that of the stream which the others look at.
            Purpose::Provoke
                if scenario.idle
                    && scenario.needs(Need::Publish)
                    && target.published_stream().is_none() =>
            {
                Self::Alone
            }
            Purpose::Provoke => Self::SideBySide,
        })
    }
}

struct WholeRun<'r> {
    client: &'r Client,
    target: Target,
    results: Results,
    is_proxy_mute: bool,
    /// `None` if the server does not serve two clients at the same time.
    pace: Option<Pace>,
}

/// The surroundings of probes that are played side by side.
struct Beside<'r> {
    target: &'r Target,
    client: &'r Client,
    on_progress: Mutex<OnProgress<'r>>,
    stopped: watch::Receiver<bool>,
    places: Semaphore,
}

impl Beside<'_> {
    async fn play(&self, probe: &Scenario) -> Outcome {
        // It is never closed.
        let _place = self.places.acquire().await;
        let mut hear = |heard: RunProgress<'_>| {
            self.on_progress.lock().unwrap_or_else(PoisonError::into_inner)(heard);
        };
        let mut stopped = self.stopped.clone();
        // An error means that the sender is gone, which it is not before the end.
        let cancel = pin!(async { drop(stopped.wait_for(|stop| *stop).await) });
        run(probe, self.target, self.client, BESIDE_FROM, &mut hear, cancel).await
    }
}

/// The outcomes of probes that were played side by side; `None` instead of one that may be an effect
/// of the others.
fn undisturbed(outcomes: Vec<Outcome>, pace: &Pace) -> Vec<Option<Outcome>> {
    let all = || outcomes.iter().flat_map(|outcome| &outcome.exchanges);
    let open_at = |at: Duration| all().filter(move |other| at < other.end.at);
    // As many others as there were when another request was answered.
    let most = all()
        .filter(|exchange| exchange.head.is_some())
        .map(|exchange| open_at(exchange.started).filter(|other| other.started < exchange.started))
        .map(Iterator::count)
        .max();
    let had_room = |exchange: &Exchange| {
        let others = open_at(exchange.started).filter(|other| other.started <= exchange.started);
        exchange.head.is_none() && Some(others.count().saturating_sub(1)) <= most
    };
    let is_kept = |outcome: &Outcome| {
        let mut exchanges = outcome.exchanges.iter();
        outcome.stopped.is_some()
            || exchanges.all(|exchange| pace.is_kept(exchange) || had_room(exchange))
    };
    let kept: Vec<bool> = outcomes.iter().map(is_kept).collect();
    outcomes.into_iter().zip(kept).map(|(outcome, kept)| kept.then_some(outcome)).collect()
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

    async fn turn(
        &mut self,
        turn: &[&Scenario],
        on_progress: OnProgress<'_>,
        mut cancel: Cancel<'_>,
    ) {
        let together = match &self.pace {
            // Events that a probe publishes into a silent stream would reach the others, too.
            Some(pace)
                if turn.len() > 1
                    && !self.target.is_silent
                    && !self.target.one_by_one
                    && self.results.stopped.is_none() =>
            {
                let outcomes = self.side_by_side(turn, &mut *on_progress, cancel.as_mut()).await;
                undisturbed(outcomes, pace)
            }
            _ => Vec::new(),
        };
        let mut together = together.into_iter();
        for scenario in turn {
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

    /// Plays the probes at the same time, each with exchanges that count from [`BESIDE_FROM`].
    async fn side_by_side(
        &self,
        probes: &[&Scenario],
        on_progress: OnProgress<'_>,
        cancel: Cancel<'_>,
    ) -> Vec<Outcome> {
        let (stop, stopped) = watch::channel(false);
        let beside = Beside {
            target: &self.target,
            client: self.client,
            on_progress: Mutex::new(on_progress),
            stopped,
            places: Semaphore::new(AT_ONCE),
        };
        let mut plays = Vec::new();
        for probe in probes {
            plays.push(beside.play(probe));
        }
        let mut outcomes = pin!(join_all(plays));
        tokio::select! {
            biased;
            () = cancel => {
                stop.send_replace(true);
                outcomes.await
            }
            outcomes = &mut outcomes => outcomes,
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_http::{Headers, Request, Version};
    use sseproof_record::{Chunk, End, Head};

    const OPEN: u64 = 1000;

    /// A stream with an event each 100 ms, of which this many came until it was closed after 1 s; or
    /// a request without a response.
    fn exchange(started: u64, events: Option<u64>) -> Exchange {
        let at = |ms: u64| Duration::from_millis(started + ms);
        let mut exchange = Exchange::begun(1, Request::subscribe("http://lab/events"), at(0));
        exchange.end = End { at: at(OPEN), how: Ending::Disconnected };
        let Some(events) = events else { return exchange };
        let headers: Headers = [("Content-Type", "text/event-stream")].into_iter().collect();
        exchange.head = Some(Head { at: at(0), version: Version::Http11, status: 200, headers });
        exchange.body = (1..=events)
            .filter_map(|index| Chunk::of(at(100 * index), &b"data: x\n\n"[..]))
            .collect();
        exchange
    }

    /// Whether the outcome of each is kept, if each is an exchange of another probe.
    fn kept(exchanges: Vec<Exchange>) -> Vec<bool> {
        let pace = Pace::of(&[exchange(0, Some(9)), exchange(0, Some(9))]).expect("two streams");
        let outcome = |exchange| Outcome { exchanges: vec![exchange], ..Outcome::default() };
        let outcomes = exchanges.into_iter().map(outcome).collect();
        undisturbed(outcomes, &pace).iter().map(Option::is_some).collect()
    }

    #[test]
    fn a_stream_that_got_less_than_the_first_one_is_played_again() {
        let few = exchange(0, Some(2));
        let mut refused = exchange(0, Some(9));
        refused.head.as_mut().expect("headers").status = 503;
        let mut cut = exchange(0, Some(2));
        cut.end = End { at: Duration::from_millis(250), how: Ending::Complete };
        let enough = exchange(0, Some(7));
        assert_eq!(kept(vec![few, refused, cut, enough]), [false, false, false, true]);
    }

    #[test]
    fn a_missing_response_is_the_servers_if_as_many_requests_were_answered_before() {
        // The second one waits while the third, with as many others, is answered.
        let room = [exchange(0, Some(9)), exchange(10, None), exchange(20, Some(9))];
        assert_eq!(kept(room.to_vec()), [true, true, true]);
        // Here no request is answered while another one is open.
        let full = [exchange(0, Some(9)), exchange(10, None), exchange(1500, Some(9))];
        assert_eq!(kept(full.to_vec()), [true, false, true]);
    }

    #[test]
    fn a_server_that_does_not_serve_two_has_no_pace() {
        assert!(Pace::of(&[exchange(0, Some(9)), exchange(10, None)]).is_none());
        assert!(Pace::of(&[exchange(0, Some(9))]).is_none());
    }
}
