//! The difference of the server's clock to ours, from the `Date` of its responses, which every
//! server sends. No latency is corrected by it, and none is clamped.
//!
//! A `Date` is exact to a second, and many servers write it once in a second and send it until then.
//! Responses cannot show whether a server does, so a difference below a second stays unknown. It is
//! not even computed for a server on this machine, which has our clock.

use serde::{Deserialize, Serialize};

/// The server's clock less ours, in nanoseconds, lies between these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// At least so much.
    pub least: i64,
    /// At most so much.
    pub most: i64,
}

impl Offset {
    /// The bounds from one response: its `Date`, in seconds since the Unix epoch, and the times by our
    /// clock, in nanoseconds, at which its request was written and its headers were read.
    pub fn of(date: u64, asked: u64, answered: u64) -> Self {
        const SECOND: i128 = 1_000_000_000;
        /// For how long a server sends a `Date` that it has written once.
        const CACHED: i128 = SECOND;
        let date = i128::from(date) * SECOND;
        let bound = |bound: i128| {
            i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX })
        };
        Self {
            least: bound(date - i128::from(answered)),
            most: bound(date + SECOND + CACHED - i128::from(asked)),
        }
    }

    /// The bound from stamps of the server: no event arrived before it was stamped, so the server's
    /// clock is slow by no more than the shortest latency.
    pub fn of_latency(shortest: u64) -> Self {
        Self { least: -i64::try_from(shortest).unwrap_or(i64::MAX), most: i64::MAX }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    /// The bounds, if they show a difference: its error is at most half of it. `None` also if
    /// responses contradict each other or the latencies, as with a `Date` that a proxy adds.
    pub fn difference(self) -> Option<Self> {
        // A difference of centuries is a `Date` without meaning.
        if self.least == i64::MAX || self.most == i64::MIN || self.least > self.most {
            return None;
        }
        let (middle, error) = (
            (i128::from(self.most) + i128::from(self.least)) / 2,
            (i128::from(self.most) - i128::from(self.least)) / 2,
        );
        (middle.abs() >= 2 * error && middle != 0).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const START: u64 = 1_700_000_000 * SECOND;

    /// A thousand responses after 2 ms each, of a server whose clock is so much ahead, and which
    /// writes its `Date` once in a second, so long after the second began.
    fn responses(ahead: i64, written: Option<u64>) -> Offset {
        let way = 2_000_000;
        let one = |n: u64| {
            let asked = START + n * 7_777_777;
            let now = (asked + way / 2).saturating_add_signed(ahead);
            let date = match written {
                None => now / SECOND,
                Some(after) => (now - after) / SECOND,
            };
            Offset::of(date, asked, asked + way)
        };
        (0..1000).map(one).reduce(Offset::and).unwrap()
    }

    #[test]
    fn only_what_all_servers_of_that_date_share_is_said() {
        const MS: i64 = 1_000_000;
        for (ahead, is_said) in [(0, false), (400, false), (-400, false)].into_iter().chain([
            (2000, true),
            (-3000, true),
            (60_000, true),
            (-3_600_000, true),
        ]) {
            for written in [None, Some(1), Some(500_000_000), Some(SECOND - 1)] {
                let offset = responses(ahead * MS, written);
                assert!(
                    (offset.least..=offset.most).contains(&(ahead * MS)),
                    "{ahead} {written:?}"
                );
                let said = offset.difference();
                assert_eq!(said.is_some(), is_said, "{ahead} {written:?} {offset:?}");
            }
        }
    }

    #[test]
    fn a_slow_clock_makes_no_event_fast() {
        let slow = responses(-5_000_000_000, None);
        assert!(slow.difference().is_some());
        assert!(slow.and(Offset::of_latency(6 * SECOND)).difference().is_some());
        // An event took 3 ms, so its stamp is not of the clock that wrote the `Date`.
        assert_eq!(slow.and(Offset::of_latency(3_000_000)).difference(), None);
    }

    #[test]
    fn answers_that_contradict_each_other_tell_nothing() {
        let now = START + SECOND / 2;
        let both = Offset::of(now / SECOND, now, now).and(Offset::of(now / SECOND - 10, now, now));
        assert_eq!(both.difference(), None);
        assert_eq!(Offset::of(u64::MAX, 0, u64::MAX).difference(), None);
    }
}
