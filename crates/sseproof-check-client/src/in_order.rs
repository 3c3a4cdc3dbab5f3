//! Messages that arrive by requests of their own, and so in any order.

use std::collections::BTreeMap;

/// Returns the messages in the order of their numbers.
pub(crate) struct InOrder<T> {
    last: u64,
    early: BTreeMap<u64, T>,
}

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self { last: 0, early: BTreeMap::new() }
    }
}

impl<T> InOrder<T> {
    /// All that is complete with this message. The first number is 1; a 0 may come before it.
    pub(crate) fn push(&mut self, number: u64, message: T) -> Vec<T> {
        if number > self.last + 1 {
            self.early.insert(number, message);
            return Vec::new();
        }
        self.last = self.last.max(number);
        let mut complete = vec![message];
        while let Some(next) = self.early.remove(&(self.last + 1)) {
            self.last += 1;
            complete.push(next);
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_decide() {
        for (numbers, complete) in [
            (vec![1, 2, 3], vec![vec![1], vec![2], vec![3]]),
            (vec![0, 1, 2], vec![vec![0], vec![1], vec![2]]),
            (vec![3, 2, 1, 4], vec![vec![], vec![], vec![1, 2, 3], vec![4]]),
            (vec![0, 2, 1], vec![vec![0], vec![], vec![1, 2]]),
        ] {
            let mut order = InOrder::default();
            let pushed: Vec<_> = numbers.iter().map(|n| order.push(*n, *n)).collect();
            assert_eq!(pushed, complete, "{numbers:?}");
        }
    }
}
