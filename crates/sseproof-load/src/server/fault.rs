//! Faults on purpose, so that what a generator counts can be checked: which events are written in
//! place of event `n`.

use std::ops::Range;

/// A fault in every n-th event, the first one being number one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Lose(u64),
    Repeat(u64),
    /// It is sent after the next one.
    Swap(u64),
}

/// The events that are written in place of event `n`, in this order.
///
/// `stream` is what this connection carries: an event that would be swapped with one outside of it
/// stays in its place, so that nothing is lost at the ends.
pub(super) fn written(
    fault: Option<Fault>,
    n: u64,
    stream: &Range<u64>,
) -> impl Iterator<Item = u64> + use<> {
    let chosen = |n: u64, every: u64| (n + 1).is_multiple_of(every);
    let (one, two) = match fault {
        Some(Fault::Lose(every)) if chosen(n, every) => (None, None),
        Some(Fault::Repeat(every)) if chosen(n, every) => (Some(n), Some(n)),
        Some(Fault::Swap(every)) if chosen(n, every) && n + 1 < stream.end => (None, None),
        Some(Fault::Swap(every)) if n > stream.start && chosen(n - 1, every) => {
            (Some(n), Some(n - 1))
        }
        _ => (Some(n), None),
    };
    [one, two].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(fault: Option<Fault>, stream: Range<u64>) -> Vec<u64> {
        stream.clone().flat_map(|n| written(fault, n, &stream)).collect()
    }

    #[test]
    fn without_a_fault_each_event_comes_once_and_in_order() {
        assert_eq!(all(None, 3..8), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn every_third_is_left_out() {
        assert_eq!(all(Some(Fault::Lose(3)), 0..9), [0, 1, 3, 4, 6, 7]);
        assert!(all(Some(Fault::Lose(1)), 0..9).is_empty());
    }

    #[test]
    fn every_third_comes_twice() {
        assert_eq!(all(Some(Fault::Repeat(3)), 0..6), [0, 1, 2, 2, 3, 4, 5, 5]);
    }

    #[test]
    fn every_third_changes_places_with_the_next_one() {
        assert_eq!(all(Some(Fault::Swap(3)), 0..8), [0, 1, 3, 2, 4, 6, 5, 7]);
        assert_eq!(all(Some(Fault::Swap(2)), 0..6), [0, 2, 1, 4, 3, 5]);
    }

    #[test]
    fn the_last_event_has_none_to_change_places_with() {
        assert_eq!(all(Some(Fault::Swap(3)), 0..6), [0, 1, 3, 2, 4, 5]);
        // Event 2 went to the connection before this one.
        assert_eq!(all(Some(Fault::Swap(3)), 3..5), [3, 4]);
    }
}
