//! A finding together with the wording of its rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sseproof_rules::{Evidence, Finding, Level, Recipe, Rule, Status, requirement, rule, standing};

/// A finding with all that its reader needs: what the rule says, why, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The rule: `stream/utf8`.
    pub rule: String,
    /// The requirement that it judges: `whatwg-sse/utf8`.
    pub requirement: String,
    /// How binding the requirement is.
    pub level: Level,
    /// The weakness that a failure is, where it is a matter of security: `CWE-93`.
    #[serde(default)]
    pub security: Option<String>,
    /// What the finding says.
    pub status: Status,
    /// Pass: what was seen. Skip and inconclusive: why. Fail: empty.
    pub note: String,
    /// Fail: the places.
    pub evidence: Vec<Evidence>,
    /// What holds when the rule passes; empty where the rule is unknown here.
    pub title: String,
    /// What breaking it does to the users of the stream.
    pub why: String,
    /// What to change in the server.
    pub fix: String,
    /// How to change it in servers that many use.
    pub recipes: Vec<Recipe>,
    /// The name of the source and its section.
    pub source: String,
    /// The link to it.
    pub link: String,
}

impl From<Finding> for Judged {
    /// Adds the wording of the rule and of its requirement; what is unknown here stays empty.
    fn from(finding: Finding) -> Self {
        let text = rule(&finding.rule).map(Rule::text);
        let requirement = requirement(&finding.requirement);
        Self {
            title: text.map_or_else(String::new, |text| text.title.clone()),
            why: text.map_or_else(String::new, |text| text.why.clone()),
            fix: text.map_or_else(String::new, |text| text.fix.clone()),
            recipes: text.map_or_else(Vec::new, |text| text.recipes.clone()),
            source: requirement.map_or_else(String::new, |found| found.source.clone()),
            link: requirement.map_or_else(String::new, |found| found.link.clone()),
            security: requirement.and_then(|found| found.security.clone()),
            rule: finding.rule,
            requirement: finding.requirement,
            level: finding.level,
            status: finding.status,
            note: finding.note,
            evidence: finding.evidence,
        }
    }
}

impl Judged {
    /// The family of the rule: `stream` of `stream/utf8`.
    pub fn family(&self) -> &str {
        self.rule.split_once('/').map_or("rules", |(family, _)| family)
    }

    /// What is wrong, in one line: the first message, or what the rule says does not hold.
    pub(crate) fn headline(&self) -> String {
        match (self.evidence.first(), self.title.is_empty()) {
            (Some(evidence), _) if !evidence.message.is_empty() => evidence.message.clone(),
            (_, false) => format!("it does not hold that {}", self.title),
            _ => format!("{} does not hold", self.rule),
        }
    }

    /// `must`, or `must, security`.
    pub(crate) fn level_words(&self) -> String {
        standing(self.level, self.security.as_deref())
    }

    /// `must · WHATWG HTML, the event stream format`; `must, security · CWE-93, …`.
    pub(crate) fn standing_line(&self) -> String {
        let source = if self.source.is_empty() { &self.requirement } else { &self.source };
        let level = self.level_words();
        let mut parts = vec![level.as_str()];
        // Where the source is the weakness itself, its number stands there.
        parts.extend(self.security.as_deref().filter(|weakness| !source.contains(*weakness)));
        parts.extend(Some(source.as_str()).filter(|source| !source.is_empty()));
        parts.join(" · ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, requirement: &str) -> Finding {
        Finding {
            rule: rule.to_owned(),
            requirement: requirement.to_owned(),
            level: Level::Must,
            status: Status::Fail,
            note: String::new(),
            evidence: Vec::new(),
        }
    }

    #[test]
    fn the_wording_comes_from_the_registry() {
        let judged = Judged::from(finding("stream/utf8", "whatwg-sse/utf8"));
        assert!(judged.link.starts_with("https://") && judged.fix.ends_with('.'));
        assert!(judged.headline().starts_with("it does not hold that "));
        assert_eq!(judged.family(), "stream");
    }

    #[test]
    fn what_is_a_matter_of_security_says_so() {
        let mut judged = Judged::from(finding("encode/injection", "practice/no-injection"));
        assert!(judged.standing_line().starts_with("must, security · CWE-93, "));
        judged.source = "a book".to_owned();
        assert_eq!(judged.standing_line(), "must, security · CWE-93 · a book");
    }

    #[test]
    fn a_rule_of_another_version_is_no_error() {
        let judged = Judged::from(finding("gone", "gone/too"));
        assert_eq!(judged.headline(), "gone does not hold");
        assert_eq!(judged.standing_line(), "must · gone/too");
        assert_eq!(judged.family(), "rules");
    }
}
