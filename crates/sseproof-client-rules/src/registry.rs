//! All rules and cases, by family.

use crate::{
    Case, Mutant, Rule, close, endurance, last_event_id, parse, reader, reconnect, redirect,
    request, response, retry, state, tls,
};

/// Rules on one side of a client, with the cases that they need.
pub(crate) struct Family {
    pub rules: &'static [&'static Rule],
    pub cases: &'static [&'static Case],
}

/// In the order in which they are listed.
static FAMILIES: &[&Family] = &[
    &request::FAMILY,
    &response::FAMILY,
    &redirect::FAMILY,
    &tls::FAMILY,
    &parse::FAMILY,
    &reconnect::FAMILY,
    &retry::FAMILY,
    &last_event_id::FAMILY,
    &state::FAMILY,
    &close::FAMILY,
    &endurance::FAMILY,
    &reader::FAMILY,
];

pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules).copied()
}

pub fn cases() -> impl Iterator<Item = &'static Case> {
    FAMILIES.iter().flat_map(|family| family.cases).copied()
}

pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// All mutants, with the rule that each must fail.
pub fn mutants() -> impl Iterator<Item = (&'static Rule, &'static Mutant)> {
    rules().flat_map(|rule| rule.mutants.iter().map(move |mutant| (rule, mutant)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_rule_is_whole() {
        let cases: BTreeSet<_> = cases().map(|case| case.id).collect();
        for rule in rules() {
            assert!(rule.id.starts_with("client/"), "{}", rule.id);
            assert!(!rule.mutants.is_empty(), "{} has no mutant", rule.id);
            assert!(!rule.cases.is_empty(), "{} has no case", rule.id);
            for case in rule.cases {
                assert!(cases.contains(case), "{}: no case is called {case}", rule.id);
            }
            assert!(!rule.texts().1.title.is_empty());
        }
    }

    #[test]
    fn every_case_is_judged() {
        let judged: BTreeSet<_> = rules().flat_map(|rule| rule.cases).collect();
        for case in cases() {
            assert!(judged.contains(&case.id), "no rule judges {}", case.id);
        }
    }

    #[test]
    fn ids_are_unique() {
        fn unique<'a>(ids: impl Iterator<Item = &'a str>) {
            let ids: Vec<_> = ids.collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        }
        unique(rules().map(|rule| rule.id));
        unique(cases().map(|case| case.id));
        unique(mutants().map(|(_, mutant)| mutant.id));
    }

    #[test]
    fn every_text_of_a_client_rule_has_its_rule() {
        for (_, text) in sseproof_rules::client_rule_texts() {
            assert!(rule(&text.id).is_some(), "{}: named in specs/, and not a rule", text.id);
        }
    }
}
