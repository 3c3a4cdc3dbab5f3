//! By how much the server's clock differs from ours, as far as its answers tell.

use serde::{Deserialize, Serialize};

/// The server's clock less ours, in nanoseconds, lies between these.
///
/// A `Date` tells a second, which says little; but each answer comes at another moment of it, and
/// what all of them leave open together is about as long as the way to the server and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// At least so much.
    pub least: i64,
    /// At most so much.
    pub most: i64,
}

impl Offset {
    /// What one answer tells: its `Date`, in seconds since the Unix epoch, and when its request was
    /// written and its head was read by our clock, in nanoseconds.
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

    /// What both tell together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { least: self.least.max(other.least), most: self.most.min(other.most) }
    }

    /// The middle of what is left open, and the error to both sides; nothing where answers
    /// contradict each other, as those of a server that writes its `Date` rarely do.
    pub fn estimate(self) -> Option<(i64, u64)> {
        // Centuries are no clock that differs, but a `Date` that means nothing.
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
        let told = (0..1000_u64).map(|n| {
            let asked = 1_700_000_000_000_000_000 + n * 7_777_777;
            let at_server = asked + way / 2 + ahead;
            Offset::of(at_server / 1_000_000_000, asked, asked + way)
        });
        let first = told.clone().next().and_then(Offset::estimate).unwrap();
        assert!(first.1 > 400_000_000, "{first:?}");
        let (middle, error) = told.reduce(Offset::and).and_then(Offset::estimate).unwrap();
        assert!(error < 6_000_000, "{error}");
        assert!(middle.abs_diff(ahead as i64) <= error, "{middle} ± {error}");
    }

    #[test]
    fn answers_that_contradict_each_other_tell_nothing() {
        let now = 1_700_000_000_500_000_000;
        let told = Offset::of(1_700_000_000, now, now).and(Offset::of(1_699_999_990, now, now));
        assert_eq!(told.estimate(), None);
        assert_eq!(Offset::of(u64::MAX, 0, u64::MAX).estimate(), None);
    }
}
