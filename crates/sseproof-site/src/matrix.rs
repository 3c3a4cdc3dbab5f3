//! The results of the checks of software of others, as `reports/matrix.json` keeps them.
//!
//! Whole results are megabytes; this is what tables and pages are made from, and the only place where
//! results are committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sseproof_report::{Outcome, Report};
use sseproof_rules::{Level, Status};

/// The version of the format.
const FORMAT: u32 = 1;
const LEGEND: &str = "✓ passed · ✗ must broken · ! should broken · \
    · advice not met · ? inconclusive · – skipped";

/// The last result of each server, proxy, client and parser by each rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The version of this format; it changes only if members are removed or get another meaning.
    pub format: u32,
    /// How binding each rule was when it was last judged.
    pub levels: BTreeMap<String, Level>,
    /// By kind, then by name.
    pub subjects: Vec<Subject>,
}

/// A server, proxy, client or parser, and its last check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    pub kind: Kind,
    /// The name of its folder under `scenarios/`.
    pub name: String,
    /// A description: a fragment.
    pub about: String,
    /// Of it and of the software below it.
    pub versions: Vec<String>,
    /// The protocol on top of event streams by which it was also judged, as in `mcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The day of the check, as in `2026-11-30`.
    pub checked: String,
    /// The program that checked, as in `sseproof 0.1.0`.
    pub tool: String,
    pub outcome: Verdict,
    /// The result by rule; for a parser by requirement, and by kind of random streams.
    pub results: BTreeMap<String, Status>,
    /// The first fault of each rule that failed, and the reason of each that is inconclusive.
    pub messages: BTreeMap<String, String>,
}

/// The outcome of a whole check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No must is broken.
    Passed,
    Broken,
    Inconclusive,
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Held => Self::Passed,
            Outcome::Broken => Self::Broken,
            Outcome::Unproven => Self::Inconclusive,
        }
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A server, framework or library that writes event streams.
    Server,
    /// A proxy in front of a server.
    Proxy,
    /// A server with a protocol on top of event streams.
    Protocol,
    /// A client that follows the standard of `EventSource`.
    Eventsource,
    /// A client that reconnects by a policy of its own.
    OwnPolicy,
    /// A client that reads one response.
    Reader,
    /// A parser, without a connection.
    Parser,
}

/// Kinds that share a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Servers,
    Proxies,
    Protocols,
    Clients,
    Parsers,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Server,
        Self::Proxy,
        Self::Protocol,
        Self::Eventsource,
        Self::OwnPolicy,
        Self::Reader,
        Self::Parser,
    ];

    pub const fn group(self) -> Group {
        match self {
            Self::Server => Group::Servers,
            Self::Proxy => Group::Proxies,
            Self::Protocol => Group::Protocols,
            Self::Eventsource | Self::OwnPolicy | Self::Reader => Group::Clients,
            Self::Parser => Group::Parsers,
        }
    }

    /// The word for one of them.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Proxy => "proxy",
            Self::Protocol => "protocol",
            Self::Eventsource => "EventSource",
            Self::OwnPolicy => "own policy",
            Self::Reader => "reader",
            Self::Parser => "parser",
        }
    }

    /// The heading of their table.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Server => "Servers",
            Self::Proxy => "Proxies, each in front of the same Node server",
            Self::Protocol => "Protocols on top of event streams",
            Self::Eventsource => "Clients that follow the standard of EventSource",
            Self::OwnPolicy => "Clients that reconnect by a policy of their own",
            Self::Reader => "Readers of one response",
            Self::Parser => "Parsers",
        }
    }
}

impl Group {
    pub const ALL: [Self; 5] =
        [Self::Servers, Self::Proxies, Self::Protocols, Self::Clients, Self::Parsers];

    /// The name of their folder on the site.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Proxies => "proxies",
            Self::Protocols => "protocols",
            Self::Clients => "clients",
            Self::Parsers => "parsers",
        }
    }

    /// Their folder under `scenarios/`.
    pub const fn scenarios(self) -> &'static str {
        match self {
            Self::Servers | Self::Proxies | Self::Protocols => "peers",
            Self::Clients => "clients",
            Self::Parsers => "parsers",
        }
    }

    /// The noun for one of them.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Servers => "server",
            Self::Proxies => "proxy",
            Self::Protocols => "protocol server",
            Self::Clients => "client",
            Self::Parsers => "parser",
        }
    }
}

impl Default for Matrix {
    fn default() -> Self {
        Self { format: FORMAT, levels: BTreeMap::new(), subjects: Vec::new() }
    }
}

impl Matrix {
    /// # Errors
    /// The text is not a matrix of this format.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let matrix: Self = serde_json::from_str(text)?;
        match matrix.format {
            FORMAT => Ok(matrix),
            other => Err(serde::de::Error::custom(format!(
                "the format is {other}, and this program reads {FORMAT}"
            ))),
        }
    }

    /// One line for each result, so that a change shows as one.
    pub fn json(&self) -> String {
        // Maps of strings become JSON.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    pub fn of(&self, group: Group) -> impl Iterator<Item = &Subject> {
        self.subjects.iter().filter(move |one| one.kind.group() == group)
    }

    /// How binding the rule is; unknown ones are a must.
    pub fn level(&self, rule: &str) -> Level {
        self.levels.get(rule).copied().unwrap_or(Level::Must)
    }

    /// Replaces the last result of the subject.
    pub fn keep(&mut self, subject: Subject, levels: impl IntoIterator<Item = (String, Level)>) {
        let key = |one: &Subject| (one.kind.group(), one.name.clone());
        self.subjects.retain(|one| key(one) != key(&subject));
        self.subjects.push(subject);
        self.subjects.sort_by_key(|one| (one.kind, one.name.clone()));
        self.levels.extend(levels);
    }

    /// Forgets the subjects that `is_known` refuses, and the rules that no other one was judged by.
    pub fn retain(&mut self, is_known: impl Fn(&Subject) -> bool) {
        self.subjects.retain(is_known);
        let used: BTreeSet<&String> =
            self.subjects.iter().flat_map(|one| one.results.keys()).collect();
        self.levels.retain(|rule, _| used.contains(rule));
    }
}

impl Subject {
    /// The subject of a report, and the levels of the rules.
    pub fn of(
        kind: Kind,
        (name, about): (&str, &str),
        versions: Vec<String>,
        report: &Report,
    ) -> (Self, Vec<(String, Level)>) {
        let findings = &report.findings;
        let message = |finding: &sseproof_report::Judged| match finding.status {
            Status::Fail => Some((finding.rule.clone(), finding.headline())),
            Status::Inconclusive => Some((finding.rule.clone(), finding.note.clone())),
            Status::Pass | Status::Skip => None,
        };
        let subject = Self {
            kind,
            name: name.to_owned(),
            about: about.to_owned(),
            versions,
            profile: report.profile.clone(),
            checked: report.started.split('T').next().unwrap_or_default().to_owned(),
            tool: report.tool.clone(),
            outcome: report.outcome().into(),
            results: findings.iter().map(|one| (one.rule.clone(), one.status)).collect(),
            messages: findings.iter().filter_map(message).collect(),
        };
        (subject, findings.iter().map(|one| (one.rule.clone(), one.level)).collect())
    }

    pub fn status(&self, rule: &str) -> Option<Status> {
        self.results.get(rule).copied()
    }

    pub fn message(&self, rule: &str) -> Option<&str> {
        self.messages.get(rule).map(String::as_str).filter(|message| !message.is_empty())
    }

    /// The rules that it fails, in the order of the registry.
    pub fn failed<'m>(&'m self, levels: &'m Matrix, level: Level) -> Vec<&'m str> {
        let mut failed: Vec<&str> = self
            .results
            .iter()
            .filter(|(rule, status)| **status == Status::Fail && levels.level(rule) == level)
            .map(|(rule, _)| rule.as_str())
            .collect();
        failed.sort_by_key(|rule| order(rule));
        failed
    }

    /// The page on it, from the root of the site.
    pub(crate) fn page(&self) -> String {
        format!("{}/{}.html", self.kind.group().folder(), self.name)
    }
}

/// The place of a rule in the order of the reports; those of another version come last.
pub(crate) fn order(rule: &str) -> (usize, String) {
    static ORDER: LazyLock<BTreeMap<&'static str, usize>> = LazyLock::new(|| {
        let servers = sseproof_rules::rules().map(|rule| rule.id);
        let clients = sseproof_client_rules::rules().map(|rule| rule.id);
        let parsers = sseproof_rules::requirements().iter().map(|one| one.id.as_str());
        servers.chain(clients).chain(parsers).enumerate().map(|(at, id)| (id, at)).collect()
    });
    (ORDER.get(rule).copied().unwrap_or(usize::MAX), rule.to_owned())
}

/// All rules by which one of the subjects was judged.
pub(crate) fn rules<'m>(subjects: &[&'m Subject]) -> Vec<&'m str> {
    let all: BTreeSet<&str> =
        subjects.iter().flat_map(|one| one.results.keys().map(String::as_str)).collect();
    let mut all: Vec<&str> = all.into_iter().collect();
    all.sort_by_key(|rule| order(rule));
    all
}

/// The schema of `matrix.json`.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Matrix).to_value()
}

/// The table of the results of these subjects by rule, in Markdown.
pub fn table(matrix: &Matrix, subjects: &[&Subject]) -> String {
    let mut out = String::from("| rule | level |");
    for subject in subjects {
        out.push_str(&format!(" {} |", subject.name));
    }
    out.push_str("\n| --- | --- |");
    out.push_str(&" :-: |".repeat(subjects.len()));
    out.push('\n');
    for rule in rules(subjects) {
        out.push_str(&format!("| {rule} | {} |", matrix.level(rule).word()));
        for subject in subjects {
            let status = subject.status(rule);
            out.push_str(&format!(" {} |", status.map_or("", |one| sign(one, matrix.level(rule)))));
        }
        out.push('\n');
    }
    out.push_str("| **outcome** | |");
    for subject in subjects {
        let sign = match subject.outcome {
            Verdict::Passed => "✓",
            Verdict::Broken => "✗",
            Verdict::Inconclusive => "?",
        };
        out.push_str(&format!(" **{sign}** |"));
    }
    out.push_str(&format!("\n\n{LEGEND}\n"));
    out
}

pub(crate) const fn sign(status: Status, level: Level) -> &'static str {
    match (status, level) {
        (Status::Pass, _) => "✓",
        (Status::Fail, Level::Must) => "✗",
        (Status::Fail, Level::Should) => "!",
        (Status::Fail, Level::Advice) => "·",
        (Status::Skip, _) => "–",
        (Status::Inconclusive, _) => "?",
    }
}

#[cfg(test)]
pub(crate) mod examples {
    use super::*;

    pub(crate) fn subject(kind: Kind, name: &str, results: &[(&str, Status)]) -> Subject {
        let failed = |(_, status): &&(&str, Status)| *status == Status::Fail;
        Subject {
            kind,
            name: name.to_owned(),
            about: format!("the {name} of an example"),
            versions: vec![format!("{name} 1.0")],
            profile: None,
            checked: "2026-11-30".to_owned(),
            tool: "sseproof 0.1.0".to_owned(),
            outcome: Verdict::Passed,
            results: results.iter().map(|(rule, status)| ((*rule).to_owned(), *status)).collect(),
            messages: results
                .iter()
                .filter(failed)
                .map(|(rule, _)| ((*rule).to_owned(), format!("`{rule}` <fails>")))
                .collect(),
        }
    }

    pub(crate) fn matrix(subjects: Vec<Subject>) -> Matrix {
        let mut matrix = Matrix::default();
        for subject in subjects {
            let levels: Vec<_> = subject
                .results
                .keys()
                .map(|rule| {
                    let level = sseproof_rules::rule_text(rule).map(|(of, _)| of.level);
                    (rule.clone(), level.unwrap_or(Level::Must))
                })
                .collect();
            matrix.keep(subject, levels);
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::examples::{matrix, subject};
    use super::*;

    const RULES: [(&str, Status); 5] = [
        ("stream/utf8", Status::Pass),
        ("response/http10", Status::Fail),
        ("response/vary", Status::Fail),
        ("lifecycle/bounded", Status::Inconclusive),
        ("another/version", Status::Skip),
    ];

    #[test]
    fn each_subject_is_a_column_in_the_order_of_the_registry() {
        let matrix = matrix(vec![
            subject(Kind::Server, "two", &RULES),
            subject(Kind::Server, "one", &RULES[..2]),
        ]);
        let all: Vec<_> = matrix.of(Group::Servers).collect();
        insta::assert_snapshot!(table(&matrix, &all));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let matrix = matrix(vec![subject(Kind::Reader, "one", &RULES)]);
        assert_eq!(Matrix::parse(&matrix.json()).expect("a matrix"), matrix);
        let other = matrix.json().replace("\"format\": 1", "\"format\": 2");
        assert!(Matrix::parse(&other).is_err());
    }

    #[test]
    fn a_result_replaces_the_one_before_also_of_another_kind_of_client() {
        let mut all = matrix(vec![
            subject(Kind::Reader, "one", &RULES),
            subject(Kind::Server, "one", &RULES[..1]),
        ]);
        all.keep(subject(Kind::Eventsource, "one", &RULES[1..2]), []);
        let kinds: Vec<_> = all.subjects.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Server, Kind::Eventsource]);
        all.retain(|one| one.kind != Kind::Server);
        assert_eq!(all.levels.keys().collect::<Vec<_>>(), ["response/http10"]);
    }
}
