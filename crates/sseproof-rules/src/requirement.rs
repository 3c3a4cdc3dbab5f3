//! The requirements, read from `specs/`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The files in `specs/`, in the order in which they are listed.
const FILES: &[(&str, &str)] = &[
    ("specs/whatwg-sse.yaml", include_str!("../../../specs/whatwg-sse.yaml")),
    ("specs/http.yaml", include_str!("../../../specs/http.yaml")),
    ("specs/fetch.yaml", include_str!("../../../specs/fetch.yaml")),
    ("specs/practice.yaml", include_str!("../../../specs/practice.yaml")),
    ("specs/proxy.yaml", include_str!("../../../specs/proxy.yaml")),
    ("specs/client.yaml", include_str!("../../../specs/client.yaml")),
    ("specs/profiles/openai-chat.yaml", include_str!("../../../specs/profiles/openai-chat.yaml")),
    (
        "specs/profiles/openai-responses.yaml",
        include_str!("../../../specs/profiles/openai-responses.yaml"),
    ),
    (
        "specs/profiles/anthropic-messages.yaml",
        include_str!("../../../specs/profiles/anthropic-messages.yaml"),
    ),
    ("specs/profiles/mcp.yaml", include_str!("../../../specs/profiles/mcp.yaml")),
    ("specs/profiles/mercure.yaml", include_str!("../../../specs/profiles/mercure.yaml")),
    ("specs/profiles/graphql-sse.yaml", include_str!("../../../specs/profiles/graphql-sse.yaml")),
];

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Breaking it is an error.
    Must,
    /// Breaking it needs a good reason; an error with `--strict`.
    Should,
    /// Good practice; never an error.
    Advice,
}

/// The subject of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The server, or what stands in front of it.
    Server,
    /// The client.
    Client,
    /// The parser inside a client.
    Parser,
}

impl Level {
    /// The word for it, as the files in `specs/` write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Advice => "advice",
        }
    }
}

impl Subject {
    /// The word for it, as the files in `specs/` write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Parser => "parser",
        }
    }
}

impl Requirement {
    /// The word for its level, and the mark of what is a matter of security: `must, security`.
    pub fn standing(&self) -> String {
        standing(self.level, self.security.as_deref())
    }
}

/// The word for a level, with a mark where a weakness is named.
pub fn standing(level: Level, security: Option<&str>) -> String {
    let mark = if security.is_some() { ", security" } else { "" };
    format!("{}{mark}", level.word())
}

/// One statement of a standard or of operating practice, in our own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// `source/name`, as in `whatwg-sse/utf8`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    pub subject: Subject,
    /// The demand, in one or two sentences.
    pub text: String,
    /// The name of the source and its section, for people.
    pub source: String,
    /// The link to it.
    pub link: String,
    /// The weakness that breaking it is, where that is a matter of security: `CWE-93`.
    #[serde(default)]
    pub security: Option<String>,
    /// Why no black box can judge it, where that is so.
    #[serde(default)]
    pub untestable: Option<String>,
    /// The rules that judge it.
    #[serde(default)]
    pub rules: Vec<RuleText>,
}

/// The texts of a rule for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// The id of the rule: `stream/utf8`.
    pub id: String,
    /// The condition that the rule checks: a sentence without capital and full stop.
    pub title: String,
    /// The consequence of breaking it for the users of the stream.
    pub why: String,
    /// The change to make in the server.
    pub fix: String,
    /// How to change it in servers that many use.
    #[serde(default)]
    pub recipes: Vec<Recipe>,
    /// Whether one request of curl shows the fault; not if it takes several connections, a certain
    /// client, or a look into the server.
    #[serde(default = "yes")]
    pub curl: bool,
}

const fn yes() -> bool {
    true
}

/// How to fix a fault in one well-known server or library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The server or library: `nginx`, `Express`.
    pub with: String,
    /// The line or lines to write.
    pub write: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requirements: Vec<Requirement>,
}

static REQUIREMENTS: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
    FILES
        .iter()
        .flat_map(|(name, text)| match serde_yaml::from_str::<File>(text) {
            Ok(file) => file.requirements,
            // The files are part of the program, and a test reads them all.
            Err(error) => panic!("{name} does not parse: {error}"),
        })
        .collect()
});

/// All requirements.
pub fn requirements() -> &'static [Requirement] {
    &REQUIREMENTS
}

/// The requirement of that id.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|requirement| requirement.id == id)
}

/// The texts of all rules on servers, each with the requirement that the rule judges.
pub(crate) fn rule_texts() -> impl Iterator<Item = (&'static Requirement, &'static RuleText)> {
    all_rule_texts().filter(|(_, text)| !text.is_of_clients())
}

/// The texts of a rule on servers or clients, with the requirement that it judges.
pub fn rule_text(id: &str) -> Option<(&'static Requirement, &'static RuleText)> {
    all_rule_texts().find(|(_, text)| text.id == id)
}

/// The texts of all rules on clients, each with the requirement that the rule judges.
pub fn client_rule_texts() -> impl Iterator<Item = (&'static Requirement, &'static RuleText)> {
    all_rule_texts().filter(|(_, text)| text.is_of_clients())
}

fn all_rule_texts() -> impl Iterator<Item = (&'static Requirement, &'static RuleText)> {
    REQUIREMENTS.iter().flat_map(|found| found.rules.iter().map(move |text| (found, text)))
}

impl RuleText {
    /// Whether it judges a client, and not a server.
    fn is_of_clients(&self) -> bool {
        self.id.starts_with("client/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_files_parse_and_ids_are_unique_and_links_are_links() {
        let ids: BTreeSet<_> = requirements().iter().map(|found| &found.id).collect();
        assert_eq!(ids.len(), requirements().len());
        for found in requirements() {
            assert!(found.link.starts_with("https://"), "{}: {}", found.id, found.link);
            assert!(found.text.ends_with('.'), "{}: {}", found.id, found.text);
            if let Some(weakness) = &found.security {
                let number = weakness.strip_prefix("CWE-").map(str::parse::<u32>);
                assert!(matches!(number, Some(Ok(_))), "{}: {weakness}", found.id);
            }
        }
    }
}
