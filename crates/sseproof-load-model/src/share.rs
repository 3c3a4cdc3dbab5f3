//! Shares of counters, each with its whole; `specs/metrics.md` is generated from here.

use crate::table::table;
use crate::{Counter, Counters};

table! {
    /// A share of a whole; both are counted.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Share of Counter { counter: Counter, formula: &'static str }

    Streams = Counter::Streams,
        "(`streams` − `reconnects`) ÷ `arrivals`: the arrivals that got a stream";
    Compressed = Counter::Compressed,
        "`compressed` ÷ `streams`";
    Ended = Counter::Ended,
        "`ended` ÷ `streams`";
    Lost = Counter::Lost,
        "`lost` ÷ (`events` − `unsequenced` − `duplicated` + `lost`): of all events that should have arrived";
    Duplicated = Counter::Duplicated,
        "`duplicated` ÷ (`events` − `unsequenced`)";
    Reordered = Counter::Reordered,
        "`reordered` ÷ (`events` − `unsequenced`)";
    Negative = Counter::Negative,
        "`negative` ÷ (`events` − `unstamped`)";
    Unstamped = Counter::Unstamped,
        "`unstamped` ÷ `events`";
    Unsequenced = Counter::Unsequenced,
        "`unsequenced` ÷ `events`";
    PublishFailed = Counter::PublishFailed,
        "`publish-failed` ÷ (`published` + `publish-failed`)";
    Completed = Counter::Completed,
        "`completed` ÷ `arrivals`";
    Good = Counter::Good,
        "`good` ÷ `arrivals`: a request without an answer is not good either";
    Errors = Counter::Errors,
        "`errors` ÷ `arrivals`; one arrival may have several, so it may exceed 100%";
}

impl Share {
    /// `None` if the whole is zero.
    pub fn value(self, counters: &Counters) -> Option<f64> {
        let count = |counter| counters.count(counter);
        let events = count(Counter::Events);
        let sequenced = events.saturating_sub(count(Counter::Unsequenced));
        let part = count(self.counter());
        let (part, whole) = match self {
            Self::Streams => {
                (part.saturating_sub(count(Counter::Reconnects)), count(Counter::Arrivals))
            }
            Self::Compressed | Self::Ended => (part, count(Counter::Streams)),
            Self::Lost => {
                // Without any number, it is not known which are missing.
                let due = sequenced.saturating_sub(count(Counter::Duplicated)).saturating_add(part);
                (part, if sequenced == 0 { 0 } else { due })
            }
            Self::Duplicated | Self::Reordered => (part, sequenced),
            Self::Negative => (part, events.saturating_sub(count(Counter::Unstamped))),
            Self::Unstamped | Self::Unsequenced => (part, events),
            Self::PublishFailed => (part, count(Counter::Published).saturating_add(part)),
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
            (Counter::Compressed, 3),
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
            (Share::Compressed, 3.0 / 13.0),
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
