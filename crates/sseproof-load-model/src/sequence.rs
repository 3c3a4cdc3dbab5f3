//! Lost, duplicated and reordered events, computed from sequence numbers.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SequenceCheck {
    /// It was the first, or the next one.
    InOrder,
    /// It is higher than the next one: this many between them are missing.
    Ahead(u64),
    Late,
    Again,
}

/// How many runs of missing numbers are kept; older missing numbers are lost.
const RUNS: usize = 64;

/// The numbers that one client has received.
///
/// That of an idle client takes three words: missing numbers are kept only while there are any.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    /// The number that comes next, once there was one.
    next: Option<u64>,
    missing: Option<Box<Missing>>,
}

#[derive(Clone, Debug, Default)]
struct Missing {
    /// From (inclusive) to (exclusive), ascending.
    runs: Vec<(u64, u64)>,
    /// How many were in runs that are kept no longer.
    given_up: u64,
}

impl Sequence {
    /// Begins at that number, so that numbers missing at the start count, too.
    pub fn from(first: u64) -> Self {
        Self { next: Some(first), missing: None }
    }

    pub fn next(&self) -> Option<u64> {
        self.next
    }

    pub fn see(&mut self, number: u64) -> SequenceCheck {
        let Some(next) = self.next else {
            self.next = Some(number.saturating_add(1));
            return SequenceCheck::InOrder;
        };
        if number >= next {
            self.next = Some(number.saturating_add(1));
            if number == next {
                return SequenceCheck::InOrder;
            }
            self.miss(next, number);
            return SequenceCheck::Ahead(number - next);
        }
        if self.find(number) { SequenceCheck::Late } else { SequenceCheck::Again }
    }

    pub fn lost(&self) -> u64 {
        self.missing.as_deref().map_or(0, |missing| {
            missing.given_up + missing.runs.iter().map(|(from, to)| to - from).sum::<u64>()
        })
    }

    fn miss(&mut self, from: u64, to: u64) {
        let missing = self.missing.get_or_insert_default();
        if missing.runs.len() == RUNS {
            let (from, to) = missing.runs.remove(0);
            missing.given_up += to - from;
        }
        missing.runs.push((from, to));
    }

    fn find(&mut self, number: u64) -> bool {
        let Some(missing) = self.missing.as_deref_mut() else { return false };
        let Some(at) = missing.runs.iter().position(|(from, to)| (*from..*to).contains(&number))
        else {
            return false;
        };
        let (from, to) = missing.runs[at];
        let parts = [(from, number), (number + 1, to)].into_iter().filter(|(from, to)| from < to);
        missing.runs.splice(at..=at, parts);
        if missing.runs.is_empty() && missing.given_up == 0 {
            self.missing = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_fault_differs_from_the_others() {
        let mut sequence = Sequence::default();
        let seen: Vec<_> = [7, 8, 11, 9, 8, 12].map(|n| sequence.see(n)).into();
        use SequenceCheck::{Again, Ahead, InOrder, Late};
        assert_eq!(seen, [InOrder, InOrder, Ahead(2), Late, Again, InOrder]);
        assert_eq!(sequence.lost(), 1);
    }

    proptest! {
        #[test]
        fn it_counts_as_a_set_does(numbers in proptest::collection::vec(5_u64..40, 1..80)) {
            let mut sequence = Sequence::default();
            let mut set = BTreeSet::new();
            let first = numbers[0];
            for number in numbers {
                let seen = sequence.see(number);
                // A number before the first is not known to be missing.
                let is_new = set.insert(number);
                let highest = set.last().copied().unwrap_or_default();
                match seen {
                    SequenceCheck::InOrder | SequenceCheck::Ahead(_) => prop_assert_eq!(highest, number),
                    SequenceCheck::Late => prop_assert!(is_new && number < highest),
                    SequenceCheck::Again => prop_assert!(!is_new || number < first),
                }
                let lost = (first..highest).filter(|n| !set.contains(n)).count() as u64;
                prop_assert_eq!(sequence.lost(), lost);
            }
        }
    }
}
