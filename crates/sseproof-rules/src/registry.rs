//! All rules, a family a line, and the judgement of a whole record.

use std::collections::BTreeSet;

use crate::{Family, Finding, LooksAt, Mutant, Profile, Record, Rule, profile, profiles};
use crate::{
    auth, cors, delivery, encode, lifecycle, proxy, reconnect, response, resume, retry, stream,
    transport,
};

static FAMILIES: [Family; 12] = [
    response::FAMILY,
    stream::FAMILY,
    delivery::FAMILY,
    reconnect::FAMILY,
    retry::FAMILY,
    resume::FAMILY,
    encode::FAMILY,
    cors::FAMILY,
    auth::FAMILY,
    transport::FAMILY,
    lifecycle::FAMILY,
    proxy::FAMILY,
];

/// The families by how many users a fault hurts, most first: all of them, those that are connected for
/// long, and then those behind a proxy, on another origin or with credentials.
pub const BY_HARM: [&str; 12] = [
    "response",
    "stream",
    "delivery",
    "encode",
    "lifecycle",
    "resume",
    "reconnect",
    "retry",
    "proxy",
    "transport",
    "auth",
    "cors",
];

/// All rules: the general ones in the order of the families, then those of the profiles, each once.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let mut known = BTreeSet::new();
    let added = profiles().flat_map(|profile| profile.rules).copied();
    general().chain(added.filter(move |rule| known.insert(rule.id)))
}

/// The rules that judge where this profile was chosen, or none was.
pub fn rules_for(profile: Option<&Profile>) -> impl Iterator<Item = &'static Rule> {
    let added = profile.map_or(&[][..], |profile| profile.rules);
    general()
        .filter(move |rule| profile.is_none_or(|profile| profile.keeps(rule)))
        .chain(added.iter().copied())
}

fn general() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules).copied()
}

fn family(rule: &Rule) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| rule.is_in(family.rules))
}

/// The part of a record that the rule judges; a rule of a profile reads the content of streams.
pub(crate) fn looks_at(rule: &Rule) -> LooksAt {
    family(rule).map_or(LooksAt::Stream, |family| family.looks_at)
}

/// Whether no later exchange changes a failure of the rule: it judges one response after another.
pub fn is_final(rule: &Rule) -> bool {
    /// They compare several.
    const OTHERS: [&str; 5] = [
        "response/framing",
        "response/head-before-event",
        "response/status",
        "stream/id-preflight",
        "stream/id-unique",
    ];
    let judges_one = family(rule).is_some_and(|family| family.looks_at != LooksAt::Run);
    judges_one && !OTHERS.contains(&rule.id)
}

pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// All mutants, with the rule that each must fail.
pub fn mutants() -> impl Iterator<Item = (&'static Rule, &'static Mutant)> {
    rules().flat_map(|rule| rule.mutants.iter().map(move |mutant| (rule, mutant)))
}

/// Judges the record by the rules of its profile that `chosen` lets through. A profile that is not
/// known here adds nothing.
pub fn judge(record: &Record<'_>, chosen: impl Fn(&Rule) -> bool) -> Vec<Finding> {
    let profile = record.target().profile.as_deref().and_then(profile);
    rules_for(profile).filter(|rule| chosen(rule)).map(|rule| Finding::of(rule, record)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuleText;
    use crate::requirement::rule_texts;

    #[test]
    fn every_rule_is_whole() {
        for rule in rules() {
            assert!(!rule.mutants.is_empty(), "{} has no mutant", rule.id);
            assert_eq!(rule.id.split('/').count(), 2, "{}", rule.id);
        }
    }

    #[test]
    fn every_rule_has_its_texts_in_specs() {
        let mut ids = BTreeSet::new();
        for (requirement, text) in rule_texts() {
            let RuleText { id, title, why, fix, recipes, .. } = text;
            assert!(ids.insert(id.as_str()), "{id}: two texts, one of {}", requirement.id);
            assert!(rule(id).is_some(), "{id}: named in {}, and no rule", requirement.id);
            for (member, text) in [("why", why), ("fix", fix)] {
                assert!(text.ends_with('.'), "{id}: `{member}` ends without a full stop: {text}");
            }
            assert!(!title.ends_with('.'), "{id}: the title ends with a full stop");
            let words = title.split_whitespace().count();
            assert!(words <= 10, "{id}: the title has {words} words, and 10 are the most");
            let texts = [title, why, fix].into_iter();
            for text in texts.chain(recipes.iter().flat_map(|recipe| [&recipe.with, &recipe.write]))
            {
                assert!(!text.is_empty() && text.trim() == text, "{id}: {text:?}");
            }
        }
        for rule in rules() {
            assert!(ids.contains(rule.id), "{}: no requirement in specs/ has its texts", rule.id);
        }
    }

    #[test]
    fn ids_of_a_family_begin_alike() {
        let start = |rule: &Rule| rule.id.split_once('/').unwrap().0;
        for family in &FAMILIES {
            let starts: BTreeSet<_> = family.rules.iter().map(|rule| start(rule)).collect();
            assert_eq!(starts.len(), 1, "{starts:?}");
        }
    }

    #[test]
    fn every_family_has_its_place_by_harm() {
        let start = |family: &Family| family.rules[0].id.split_once('/').unwrap().0;
        let families: BTreeSet<_> = FAMILIES.iter().map(start).collect();
        assert_eq!(families, BTreeSet::from(BY_HARM));
    }

    #[test]
    fn ids_are_unique() {
        let ids: Vec<_> = rules().map(|rule| rule.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        let ids: Vec<_> = mutants().map(|(_, mutant)| mutant.id).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    }

    #[test]
    fn a_rule_of_a_profile_judges_only_where_that_is_chosen() {
        let ids = |profile| rules_for(profile).map(|rule| rule.id).collect::<BTreeSet<_>>();
        let general = ids(None);
        for profile in profiles() {
            let chosen = ids(Some(profile));
            for rule in profile.rules {
                assert!(chosen.contains(rule.id) && !general.contains(rule.id), "{}", rule.id);
            }
            for omitted in profile.omits.iter().copied().flatten() {
                assert!(general.contains(omitted.id), "{}", omitted.id);
                assert!(!chosen.contains(omitted.id), "{}", omitted.id);
            }
        }
    }
}
