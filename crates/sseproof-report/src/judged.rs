//! A finding together with the text of its rule.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sseproof_record::Transcript;
use sseproof_rules::{
    BY_HARM, Evidence, Finding, Level, Recipe, Rule, Software, Status, requirement, rule,
    rule_text, software, standing,
};

use crate::Report;
use crate::curl::{curl, publication};

/// The families of the rules on clients, in the order of the harm that a failure does.
const CLIENTS_BY_HARM: [&str; 12] = [
    "tls",
    "retry",
    "redirect",
    "reconnect",
    "close",
    "last-event-id",
    "parse",
    "response",
    "reader",
    "state",
    "endurance",
    "request",
];

/// How many programs may say how to fix a fault: one that writes the stream, and one in front of it.
const SOFTWARE: usize = 2;

/// The family of rules whose faults a publication shows.
const PUBLISHING: &str = "encode";

impl Report {
    /// Adds what the record shows besides the verdicts: the software that answered, its fixes, and how
    /// to see each fault by hand. `command` started the server.
    pub fn complete(&mut self, transcript: &Transcript, command: Option<&str>) {
        let software = software(transcript, command);
        self.software = software.iter().map(|software| software.name.clone()).collect();
        for finding in &mut self.findings {
            finding.complete(transcript, &software);
        }
    }
}

/// A finding with the text of its rule: requirement, reason and fix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// As in `stream/utf8`.
    pub rule: String,
    /// The requirement that it judges, as in `whatwg-sse/utf8`.
    pub requirement: String,
    /// How binding the requirement is.
    pub level: Level,
    /// The weakness, for a matter of security, as in `CWE-93`.
    #[serde(default)]
    pub security: Option<String>,
    pub status: Status,
    /// Passed: the evidence. Skipped and inconclusive: the reason. Failed: empty.
    pub note: String,
    /// Failed: the places.
    pub evidence: Vec<Evidence>,
    /// The requirement; empty for a rule that is unknown here.
    pub title: String,
    /// The effect of a failure on the users of the stream.
    pub why: String,
    /// The change to make in the server.
    pub fix: String,
    /// The change in common servers.
    pub recipes: Vec<Recipe>,
    /// The change in the software that answered, if it is known.
    #[serde(default)]
    pub here: Vec<Recipe>,
    /// The command that shows the first fault by hand, if curl does.
    #[serde(default)]
    pub curl: Option<String>,
    pub source: String,
    pub link: String,
}

impl From<Finding> for Judged {
    /// Adds the text of the rule and of its requirement; unknown ones stay empty.
    fn from(finding: Finding) -> Self {
        let text = rule_text(&finding.rule).map(|(_, text)| text);
        let requirement = requirement(&finding.requirement);
        Self {
            title: text.map_or_else(String::new, |text| text.title.clone()),
            why: text.map_or_else(String::new, |text| text.why.clone()),
            fix: text.map_or_else(String::new, |text| text.fix.clone()),
            recipes: text.map_or_else(Vec::new, |text| text.recipes.clone()),
            source: requirement.map_or_else(String::new, |found| found.source.clone()),
            link: requirement.map_or_else(String::new, |found| found.link.clone()),
            security: requirement.and_then(|found| found.security.clone()),
            here: Vec::new(),
            curl: None,
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
    /// Adds the software's own fixes and the command that shows the fault, for a failure.
    fn complete(&mut self, transcript: &Transcript, software: &[&Software]) {
        let Some(text) = rule(&self.rule).map(Rule::text) else { return };
        if self.status != Status::Fail {
            return;
        }
        self.here = software.iter().filter_map(|one| one.recipe(text)).take(SOFTWARE).collect();
        self.here.dedup();
        self.curl = self.evidence.first().and_then(|evidence| match self.family() {
            PUBLISHING => publication(transcript, evidence),
            _ if !text.curl => None,
            _ => {
                let exchange = transcript.exchanges.get(evidence.exchange.checked_sub(1)?)?;
                curl(exchange, evidence.place == "wire")
            }
        });
    }

    /// Whether it judges a client, and not a server.
    pub fn is_of_clients(&self) -> bool {
        self.rule.starts_with("client/")
    }

    /// The family of the rule: `stream` of `stream/utf8`, `close` of `client/close-in-handler`.
    pub fn family(&self) -> &str {
        family(&self.rule)
    }

    /// The place of its family in the order of harm; the rules of the profile that the user chose come
    /// first.
    pub(crate) fn harm(&self) -> usize {
        let families: &[&str] = if self.is_of_clients() { &CLIENTS_BY_HARM } else { &BY_HARM };
        let place = families.iter().position(|family| *family == self.family());
        place.map_or(0, |place| place + 1)
    }

    /// The failure in one line: the first message, or the requirement that is broken.
    pub fn headline(&self) -> String {
        match (self.evidence.first(), self.title.is_empty()) {
            (Some(evidence), _) if !evidence.message.is_empty() => evidence.message.clone(),
            (_, false) => format!("broken: {}", self.title),
            _ => format!("{} is broken", self.rule),
        }
    }

    /// `must`, or `must, security`.
    pub fn level_words(&self) -> String {
        standing(self.level, self.security.as_deref())
    }

    /// `must · WHATWG HTML, the event stream format`; `must, security · CWE-93, …`.
    pub fn standing_line(&self) -> String {
        let source = if self.source.is_empty() { &self.requirement } else { &self.source };
        let level = self.level_words();
        let mut parts = vec![level.as_str()];
        // The source may be the weakness itself.
        parts.extend(self.security.as_deref().filter(|weakness| !source.contains(*weakness)));
        parts.extend(Some(source.as_str()).filter(|source| !source.is_empty()));
        parts.join(" · ")
    }
}

/// The family of the rule of this id: `stream` of `stream/utf8`, `close` of
/// `client/close-in-handler`.
pub fn family(rule: &str) -> &str {
    match rule.split_once('/') {
        Some(("client", name)) => {
            let of = CLIENTS_BY_HARM.iter().find(|family| name.starts_with(**family));
            of.copied().unwrap_or(name)
        }
        Some((family, _)) => family,
        None => "rules",
    }
}

/// The rules for each note, in the order of their first rules.
pub fn by_note<'r>(found: &[&'r Judged]) -> Vec<(&'r str, Vec<&'r Judged>)> {
    let mut groups: Vec<(&str, Vec<&Judged>)> = Vec::new();
    for &finding in found {
        match groups.iter_mut().find(|(note, _)| *note == finding.note) {
            Some((_, rules)) => rules.push(finding),
            None => groups.push((&finding.note, vec![finding])),
        }
    }
    groups
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
        assert!(judged.headline().starts_with("broken: "));
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
        assert_eq!(judged.headline(), "gone is broken");
        assert_eq!(judged.standing_line(), "must · gone/too");
        assert_eq!(judged.family(), "rules");
    }
}
