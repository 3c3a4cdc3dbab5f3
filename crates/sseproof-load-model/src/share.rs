//! Shares of counters, each with what is the whole; `specs/metrics.md` is made from here.

use crate::{Counter, Counters};

/// A share of a whole that is counted, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Arrivals that got a stream.
    Streams,
    /// Streams that the server ended.
    Ended,
    /// Events that were lost.
    Lost,
    /// Events that came again.
    Duplicated,
    /// Events that came late.
    Reordered,
    /// Events from the future.
    Negative,
    /// Events without a stamp.
    Unstamped,
    /// Events without a number.
    Unsequenced,
    /// Publish requests that failed.
    PublishFailed,
    /// Requests that were answered.
    Completed,
    /// Requests that were answered well.
    Good,
    /// Errors.
    Errors,
}

impl Share {
    /// All, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::Streams,
        Self::Ended,
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::Negative,
        Self::Unstamped,
        Self::Unsequenced,
        Self::PublishFailed,
        Self::Completed,
        Self::Good,
        Self::Errors,
    ];

    /// What it is a share of its whole; `.share` is written behind its key.
    pub fn counter(self) -> Counter {
        match self {
            Self::Streams => Counter::Streams,
            Self::Ended => Counter::Ended,
            Self::Lost => Counter::Lost,
            Self::Duplicated => Counter::Duplicated,
            Self::Reordered => Counter::Reordered,
            Self::Negative => Counter::Negative,
            Self::Unstamped => Counter::Unstamped,
            Self::Unsequenced => Counter::Unsequenced,
            Self::PublishFailed => Counter::PublishFailed,
            Self::Completed => Counter::Completed,
            Self::Good => Counter::Good,
            Self::Errors => Counter::Errors,
        }
    }

    /// The share of that counter, where one is defined.
    pub fn of(counter: Counter) -> Option<Self> {
        Self::ALL.into_iter().find(|share| share.counter() == counter)
    }

    /// How it is computed.
    pub fn formula(self) -> &'static str {
        match self {
            Self::Streams => "(`streams` − `reconnects`) ÷ `arrivals`: who came and got a stream",
            Self::Ended => "`ended` ÷ `streams`",
            Self::Lost => {
                "`lost` ÷ (`events` − `unsequenced` − `duplicated` + `lost`): of all that should have arrived"
            }
            Self::Duplicated => "`duplicated` ÷ (`events` − `unsequenced`)",
            Self::Reordered => "`reordered` ÷ (`events` − `unsequenced`)",
            Self::Negative => "`negative` ÷ (`events` − `unstamped`)",
            Self::Unstamped => "`unstamped` ÷ `events`",
            Self::Unsequenced => "`unsequenced` ÷ `events`",
            Self::PublishFailed => "`publish-failed` ÷ (`published` + `publish-failed`)",
            Self::Completed => "`completed` ÷ `arrivals`",
            Self::Good => "`good` ÷ `arrivals`: what was not answered at all is not good either",
            Self::Errors => {
                "`errors` ÷ `arrivals`; one arrival may have several, so it may exceed 100%"
            }
        }
    }

    /// The share, where there is a whole.
    pub fn value(self, counters: &Counters) -> Option<f64> {
        let count = |counter| counters.count(counter);
        let events = count(Counter::Events);
        let sequenced = events.saturating_sub(count(Counter::Unsequenced));
        let part = count(self.counter());
        let (part, whole) = match self {
            Self::Streams => {
                (part.saturating_sub(count(Counter::Reconnects)), count(Counter::Arrivals))
            }
            Self::Ended => (part, count(Counter::Streams)),
            Self::Lost => {
                // Who saw no number at all knows nothing of those that are missing.
                let due = sequenced.saturating_sub(count(Counter::Duplicated)) + part;
                (part, if sequenced == 0 { 0 } else { due })
            }
            Self::Duplicated | Self::Reordered => (part, sequenced),
            Self::Negative => (part, events.saturating_sub(count(Counter::Unstamped))),
            Self::Unstamped | Self::Unsequenced => (part, events),
            Self::PublishFailed => (part, count(Counter::Published) + part),
            Self::Completed | Self::Good | Self::Errors => (part, count(Counter::Arrivals)),
        };
        (whole > 0).then(|| part as f64 / whole as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_share_has_its_whole() {
        let mut counters = Counters::default();
        assert!(Share::ALL.iter().all(|share| share.value(&counters).is_none()));
        for (counter, count) in [
            (Counter::Arrivals, 10),
            (Counter::Streams, 13),
            (Counter::Reconnects, 5),
            (Counter::Ended, 1),
            (Counter::Events, 100),
            (Counter::Unsequenced, 20),
            (Counter::Unstamped, 50),
            (Counter::Lost, 20),
            (Counter::Negative, 1),
            (Counter::Published, 3),
            (Counter::PublishFailed, 1),
            (Counter::Completed, 9),
            (Counter::Good, 4),
            (Counter::Errors, 12),
        ] {
            counters.add(counter, count);
        }
        for (share, value) in [
            (Share::Streams, 0.8),
            (Share::Ended, 1.0 / 13.0),
            (Share::Lost, 0.2),
            (Share::Duplicated, 0.0),
            (Share::Negative, 0.02),
            (Share::Unstamped, 0.5),
            (Share::PublishFailed, 0.25),
            (Share::Completed, 0.9),
            (Share::Good, 0.4),
            (Share::Errors, 1.2),
        ] {
            assert_eq!(share.value(&counters), Some(value), "{share:?}");
            assert_eq!(Share::of(share.counter()), Some(share));
        }
        counters.add(Counter::Duplicated, 40);
        assert_eq!(Share::Lost.value(&counters), Some(20.0 / 60.0));
        assert_eq!(Share::of(Counter::Tokens), None);
    }
}
