//! All rules, a family a line, and the judgement of a whole record.

use crate::{Finding, Mutant, Record, Rule};
use crate::{delivery, encode, reconnect, response, resume, retry, stream};

const FAMILIES: [&[&Rule]; 7] = [
    response::RULES,
    stream::RULES,
    delivery::RULES,
    reconnect::RULES,
    retry::RULES,
    resume::RULES,
    encode::RULES,
];

/// All rules, in the order of the families.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.into_iter().flatten().copied()
}

/// The rule of that id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// All mutants, with the rule that each must fail.
pub fn mutants() -> impl Iterator<Item = (&'static Rule, &'static Mutant)> {
    rules().flat_map(|rule| rule.mutants.iter().map(move |mutant| (rule, mutant)))
}

/// Judges the record by the rules that `chosen` lets through.
pub fn judge(record: &Record<'_>, chosen: impl Fn(&Rule) -> bool) -> Vec<Finding> {
    rules().filter(|rule| chosen(rule)).map(|rule| Finding::of(rule, record)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_is_whole() {
        for rule in rules() {
            assert!(
                requirement(rule.requirement).is_some(),
                "{}: no {}",
                rule.id,
                rule.requirement
            );
            assert!(!rule.mutants.is_empty(), "{} has no mutant", rule.id);
            assert!(rule.id.split_once('/').is_some(), "{}", rule.id);
            for (what, text) in [("why", rule.why), ("fix", rule.fix)] {
                assert!(text.ends_with('.'), "{}: {what} is no sentence: {text}", rule.id);
            }
            let title = rule.title;
            assert!(!title.ends_with('.'), "{}: the title has a full stop", rule.id);
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: Vec<_> = rules().map(|rule| rule.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        let ids: Vec<_> = mutants().map(|(_, mutant)| mutant.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    }
}
