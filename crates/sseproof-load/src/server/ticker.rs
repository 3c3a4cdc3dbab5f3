//! One heap of due times for all connections, since a timer for each would cost more than the
//! connection itself.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::connection::Handle;
use super::hub::Hub;
use crate::clock::nanoseconds;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    /// When, in nanoseconds of [`Clock::now`].
    pub(super) at: u64,
    pub(super) handle: Handle,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Events,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { start: Instant::now() }
    }

    /// Nanoseconds since the start, on a monotonic clock.
    pub(super) fn now(self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Whole seconds since the start.
    pub(super) fn second(self) -> u32 {
        u32::try_from(self.start.elapsed().as_secs()).unwrap_or(u32::MAX)
    }

    fn instant(self, at: u64) -> tokio::time::Instant {
        (self.start + Duration::from_nanos(at)).into()
    }
}

/// Nanoseconds since the Unix epoch.
pub(super) fn unix() -> u64 {
    nanoseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// How long the first event of a connection has to wait, `since` nanoseconds after the Unix epoch.
///
/// All connections share a grid of intervals. On it, each has a place of its own, a golden section
/// further than the one before: so however many there are, they are spread evenly.
pub(super) fn first_wait(every: Duration, sync: bool, number: u64, since: u64) -> u64 {
    let every = nanoseconds(every).max(1);
    let part = if sync { 0 } else { number.wrapping_mul(0x9E37_79B9_7F4A_7C15) };
    let phase = ((u128::from(part) * u128::from(every)) >> 64) as u64;
    (phase + every - since % every) % every
}

#[derive(Debug, Default)]
pub(super) struct Ticker {
    heap: RefCell<BinaryHeap<Reverse<Due>>>,
    sooner: Notify,
}

/// After so many connections other tasks may run, since all of them take long.
const AT_ONCE: usize = 256;

impl Ticker {
    pub(super) fn add(&self, due: Due) {
        let mut heap = self.heap.borrow_mut();
        if heap.peek().is_none_or(|Reverse(first)| due.at < first.at) {
            self.sooner.notify_one();
        }
        heap.push(Reverse(due));
    }

    fn next(&self) -> Option<u64> {
        self.heap.borrow().peek().map(|Reverse(due)| due.at)
    }

    /// Moves all that are due into `due`, which must be empty.
    fn take(&self, now: u64, due: &mut Vec<Due>) {
        let mut heap = self.heap.borrow_mut();
        while let Some(Reverse(first)) = heap.peek()
            && first.at <= now
        {
            due.push(*first);
            heap.pop();
        }
    }
}

pub(super) async fn tick(hub: Rc<Hub>) {
    let mut due = Vec::new();
    loop {
        match hub.ticker.next() {
            None => hub.ticker.sooner.notified().await,
            Some(at) if at > hub.clock.now() => {
                tokio::select! {
                    () = sleep_until(hub.clock.instant(at)) => {}
                    () = hub.ticker.sooner.notified() => {}
                }
            }
            Some(_) => {
                hub.ticker.take(hub.clock.now(), &mut due);
                let moment = unix();
                for some in due.chunks(AT_ONCE) {
                    for due in some {
                        hub.due(*due, moment);
                    }
                    // Also if few are due: one added meanwhile may be due at once, too.
                    yield_now().await;
                }
                due.clear();
            }
        }
    }
}

/// Keeps silent connections alive, and ends those whose clients do not close them.
pub(super) async fn sweep(hub: Rc<Hub>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        hub.sweep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_spread_evenly_and_stay_on_the_grid() {
        let every = Duration::from_millis(100);
        let since = 1_700_000_000_123_456_789;
        let mut tenths = [0; 10];
        for number in 0..1000 {
            let wait = first_wait(every, false, number, since);
            assert!(wait < 100_000_000);
            tenths[(wait / 10_000_000) as usize] += 1;
            let later = first_wait(every, false, number, since + wait);
            assert_eq!(later, 0, "whenever it comes, it has the same place");
        }
        assert!(tenths.iter().all(|number| (98..=102).contains(number)), "{tenths:?}");
    }

    #[test]
    fn in_step_all_wait_for_the_same_moment() {
        let every = Duration::from_secs(1);
        for number in 0..10 {
            assert_eq!(first_wait(every, true, number, 1_000_000_000_250), 999_999_750);
        }
    }

    #[test]
    fn what_is_due_comes_in_order() {
        let ticker = Ticker::default();
        for at in [30, 10, 20, 40] {
            let handle = Handle { key: 1, life: 1 };
            ticker.add(Due { at, handle, what: What::Events });
        }
        let mut due = Vec::new();
        ticker.take(30, &mut due);
        assert_eq!(due.iter().map(|due| due.at).collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(ticker.next(), Some(40));
    }
}
