//! The spread of several times, and the waiting time for response headers.

use std::fmt;
use std::time::Duration;

pub(crate) use sseproof_units::duration as shown;

use crate::View;
use crate::timing::TOGETHER;

/// The longest preamble of a coding (zstd: magic number and frame header) has 18 bytes.
pub(crate) const PREAMBLE: u64 = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) count: usize,
    pub(crate) min: Duration,
    /// Of an even number of times, the lower of the two.
    pub(crate) median: Duration,
    pub(crate) max: Duration,
}

impl Spread {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Some(Self {
            count: times.len(),
            min: *times.first()?,
            median: *times.get((times.len() - 1) / 2)?,
            max: *times.last()?,
        })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [min, median, max] = [self.min, self.median, self.max].map(shown);
        match self.count {
            1 => write!(f, "{median} (one exchange)"),
            count => write!(f, "{median} (median of {count}; {min} to {max})"),
        }
    }
}

/// Times that are close together count once: the first of them, and how many.
pub(crate) fn together(times: impl IntoIterator<Item = Duration>) -> Vec<(Duration, usize)> {
    let mut moments: Vec<(Duration, usize)> = Vec::new();
    for at in times {
        match moments.last_mut() {
            Some((begun, count)) if at.saturating_sub(*begun) <= TOGETHER => *count += 1,
            _ => moments.push((at, 1)),
        }
    }
    moments
}

/// When bytes of the body came, after so many.
pub(crate) fn came(view: &View<'_>, after: u64) -> impl Iterator<Item = Duration> {
    let mut end = 0;
    view.came().iter().filter_map(move |chunk| {
        end += chunk.bytes.len() as u64;
        (end > after && !chunk.bytes.is_empty()).then_some(chunk.at)
    })
}

/// When the request was on its way, as nearly as the record knows.
pub(crate) fn sent(view: &View<'_>) -> Duration {
    view.phases.sent.or(view.phases.connected).unwrap_or(view.started)
}

pub(crate) fn time_to_head(view: &View<'_>) -> Option<Duration> {
    view.head.as_ref().map(|head| head.at.saturating_sub(sent(view)))
}

/// How long we stood and waited for an answer that never began; `None` where one came, or a piece
/// of one, or where something other than our patience ended the wait.
pub(crate) fn waited_in_vain(view: &View<'_>) -> Option<Duration> {
    use sseproof_record::{Ending, Phase};
    let patience = matches!(view.end.how, Ending::Disconnected | Ending::TimedOut(Phase::Head));
    // Over HTTP/2 the connection has something to say before any answer.
    let silent = view.head.is_none() && (view.wire.is_empty() || !view.request.version.is_http1());
    (silent && patience).then(|| view.end.at.saturating_sub(sent(view)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_a_median() {
        let times = [5, 1, 900, 4].map(Duration::from_millis);
        let spread = Spread::of(times).expect("a spread");
        assert_eq!(spread.median, Duration::from_millis(4));
        assert_eq!(spread.to_string(), "4 ms (median of 4; 1 ms to 900 ms)");
        assert_eq!(Spread::of([]), None);
    }
}
