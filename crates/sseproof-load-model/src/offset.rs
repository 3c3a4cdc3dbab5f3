//! The difference of the server's clock to ours, from the `Date` of its responses, which every
//! server sends: each bounds it to a second, all together to about the round trip. No latency is
//! corrected by it, and none is clamped.

use serde::{Deserialize, Serialize};

/// The server's clock less ours, in nanoseconds, lies between these.
///
/// A `Date` is exact to a second; but each response comes at another moment of it, and all of them
/// together leave about the round trip open.
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
        let date = i128::from(date) * SECOND;
        let bound = |bound: i128| {
            i64::try_from(bound).unwrap_or(if bound < 0 { i64::MIN } else { i64::MAX })
        };
        Self {
            least: bound(date - i128::from(answered)),
            most: bound(date + SECOND - i128::from(asked)),
        }
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    /// The middle of the bounds, and the error to both sides; `None` if responses contradict
    /// each other, as with a server that rarely updates its `Date`.
    pub fn estimate(self) -> Option<(i64, u64)> {
        // A difference of centuries is a `Date` without meaning.
        if self.least == i64::MAX || self.most == i64::MIN {
            return None;
        }
        let open = u64::try_from(self.most.checked_sub(self.least)?).ok()?;
        Some((self.least + i64::try_from(open / 2).ok()?, open.div_ceil(2)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_answers_tell_what_one_cannot() {
        // The server is 250 ms ahead, and an answer takes 2 ms.
        let (ahead, way) = (250_000_000, 2_000_000);
        let offsets = (0..1000_u64).map(|n| {
            let asked = 1_700_000_000_000_000_000 + n * 7_777_777;
            let at_server = asked + way / 2 + ahead;
            Offset::of(at_server / 1_000_000_000, asked, asked + way)
        });
        let first = offsets.clone().next().and_then(Offset::estimate).unwrap();
        assert!(first.1 > 400_000_000, "{first:?}");
        let (middle, error) = offsets.reduce(Offset::and).and_then(Offset::estimate).unwrap();
        assert!(error < 6_000_000, "{error}");
        assert!(middle.abs_diff(ahead as i64) <= error, "{middle} ± {error}");
    }

    #[test]
    fn answers_that_contradict_each_other_tell_nothing() {
        let now = 1_700_000_000_500_000_000;
        let both = Offset::of(1_700_000_000, now, now).and(Offset::of(1_699_999_990, now, now));
        assert_eq!(both.estimate(), None);
        assert_eq!(Offset::of(u64::MAX, 0, u64::MAX).estimate(), None);
    }
}
