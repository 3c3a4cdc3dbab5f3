//! Probes that are played at the same time.

use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use sseproof_files::{Scenario, Target};
use sseproof_net::Client;
use sseproof_record::Exchange;
use tokio::sync::{Semaphore, watch};

use super::pace::Pace;
use super::turns::Turn;
use super::{Cancel, OnProgress, Outcome, RunProgress, run};

/// How many probes are played at the same time; most have one connection, some have two. Servers
/// for development often have few threads.
const AT_ONCE: usize = 6;
/// The number of the first exchange of a probe that is played beside others: not 1, since only the
/// first exchange of a run shows that the server cannot be reached at all.
pub(super) const BESIDE_FROM: usize = 2;

/// The servers of probes that are played at the same time.
#[derive(Clone, Copy)]
pub(super) enum Company<'r> {
    /// Each probe has its own.
    Apart,
    /// All have the same, which has this pace.
    OneServer(&'r Pace),
}

/// The surroundings of each probe.
struct Beside<'r, 'p> {
    client: &'r Client,
    on_progress: Mutex<OnProgress<'p>>,
    stopped: watch::Receiver<bool>,
    places: Semaphore,
}

impl Beside<'_, '_> {
    async fn in_its_place(&self, probe: &Scenario, target: &Target) -> Outcome {
        // A probe that waits for more than a minute begins at once. The semaphore is never closed.
        let _place = if probe.idle { None } else { self.places.acquire().await.ok() };
        self.play(probe, target).await
    }

    async fn play(&self, probe: &Scenario, target: &Target) -> Outcome {
        let mut hear = |heard: RunProgress<'_>| {
            self.on_progress.lock().unwrap_or_else(PoisonError::into_inner)(heard);
        };
        let mut stopped = self.stopped.clone();
        // An error means that the sender is gone, which it is not before the end.
        let cancel = pin!(async { drop(stopped.wait_for(|stop| *stop).await) });
        run(probe, target, self.client, BESIDE_FROM, &mut hear, cancel).await
    }
}

/// Plays the probes of the turn at the same time, each with exchanges that count from
/// [`BESIDE_FROM`]; `None` instead of an outcome that may be an effect of the others.
pub(super) async fn side_by_side(
    turn: &Turn<'_>,
    target: &Target,
    client: &Client,
    company: Company<'_>,
    on_progress: OnProgress<'_>,
    cancel: Cancel<'_>,
) -> Vec<Option<Outcome>> {
    let (stop, stopped) = watch::channel(false);
    let (targets, places): (Vec<Target>, _) = match company {
        Company::Apart => {
            let all = 0..turn.all().count();
            (all.map(|index| target.twin(index)).collect(), Semaphore::MAX_PERMITS)
        }
        Company::OneServer(_) => (vec![target.clone(); turn.all().count()], AT_ONCE),
    };
    let (of_beside, of_line) = targets.split_at(turn.beside.len());
    let on_progress = Mutex::new(on_progress);
    let places = Semaphore::new(places);
    let beside = Beside { client, on_progress, stopped, places };
    let plays = turn.beside.iter().zip(of_beside);
    let plays = join_all(plays.map(|(probe, target)| beside.in_its_place(probe, target)));
    let in_line = async {
        let mut outcomes = Vec::new();
        for (probe, target) in turn.in_line.iter().zip(of_line) {
            outcomes.push(beside.play(probe, target).await);
        }
        outcomes
    };
    let mut outcomes = pin!(join(plays, in_line));
    let (plays, in_line) = tokio::select! {
        biased;
        () = cancel => {
            stop.send_replace(true);
            outcomes.await
        }
        outcomes = &mut outcomes => outcomes,
    };
    match company {
        Company::Apart => plays.into_iter().chain(in_line).map(Some).collect(),
        Company::OneServer(pace) => {
            let in_line = in_line.into_iter().map(|outcome| is_served(&outcome).then_some(outcome));
            undisturbed(plays, pace).into_iter().chain(in_line).collect()
        }
    }
}

/// Whether each request of a probe that publishes had a response, and each subscription a stream.
fn is_served(outcome: &Outcome) -> bool {
    let is_served = |exchange: &Exchange| {
        exchange.head.is_some() && (exchange.request.method != "GET" || exchange.is_stream())
    };
    outcome.stopped.is_some() || outcome.exchanges.iter().all(is_served)
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

#[cfg(test)]
mod tests {
    use super::*;
    use sseproof_http::{Headers, Request, Version};
    use sseproof_record::{Chunk, End, Ending, Head};

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
