//! Random hostile payloads from a seed; one that breaks a rule is shrunk.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Pieces that have a meaning for an encoder, a template or a transport. Harmless ones come first,
/// since shrinking goes towards them; line ends and colons are repeated, since most faults are about
/// them.
static PIECES: LazyLock<Vec<String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("pieces.json")).expect("the pieces, which a test reads")
});
/// How many pieces a payload has.
const LENGTHS: std::ops::RangeInclusive<usize> = 1..=40;
/// Fewer pieces than this would find nothing new.
const FEWEST: usize = 12;

pub(super) type Shrinking = Box<dyn ValueTree<Value = String> + Send>;

/// Payloads without the characters to avoid, whose effect is known already.
pub(super) fn payloads(seed: u64, avoid: &BTreeSet<char>, count: usize) -> Vec<Shrinking> {
    let is_new = |piece: &&str| !piece.chars().any(|char| avoid.contains(&char));
    let pieces: Vec<&'static str> = PIECES.iter().map(String::as_str).filter(is_new).collect();
    if pieces.len() < FEWEST {
        return Vec::new();
    }
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let strategy =
        vec(select(pieces), LENGTHS).prop_map(|pieces: Vec<&'static str>| pieces.concat());
    (0..count)
        .filter_map(|_| strategy.new_tree(&mut runner).ok())
        .map(|tree| Box::new(tree) as Shrinking)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(seed: u64, avoid: &[char]) -> Vec<String> {
        let avoid = avoid.iter().copied().collect();
        payloads(seed, &avoid, 40).iter().map(|tree| tree.current()).collect()
    }

    #[test]
    fn a_seed_gives_the_same_payloads_each_time_and_another_gives_others() {
        assert_eq!(texts(0, &[]), texts(0, &[]));
        assert_ne!(texts(0, &[]), texts(1, &[]));
        assert_eq!(texts(0, &[]).len(), 40);
    }

    #[test]
    fn characters_known_to_break_are_avoided() {
        assert!(texts(0, &['\n', '\0']).iter().all(|text| !text.contains(['\n', '\0'])));
    }

    #[test]
    fn they_shrink_to_what_matters() {
        let breaks = |text: &str| text.contains("\r:");
        let found = payloads(0, &BTreeSet::new(), 40).into_iter().find(|t| breaks(&t.current()));
        let mut tree = found.expect("one that breaks");
        let mut least = tree.current();
        let mut has_more = tree.simplify();
        while has_more {
            let text = tree.current();
            has_more = if breaks(&text) { tree.simplify() } else { tree.complicate() };
            if breaks(&text) {
                least = text;
            }
        }
        assert!(least.chars().count() <= 3, "{least:?}");
    }
}
