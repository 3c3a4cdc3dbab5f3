//! The corpus: streams, and what they mean.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

macro_rules! groups {
    ($($name:literal),*) => {
        [$(include_str!(concat!("../../../specs/corpus/", $name, ".json"))),*]
    };
}

const GROUPS: [&str; 13] = groups!(
    "bom",
    "comments",
    "data",
    "dispatch",
    "end",
    "event",
    "fields",
    "id",
    "line-ends",
    "retry",
    "stream",
    "utf8",
    "wild"
);

/// A stream, and its meaning. `specs/corpus/README.md` defines the members.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// `group/name`.
    pub id: String,
    /// The requirement that it tests, as in `whatwg-sse/bom-at-start`.
    pub requirement: String,
    pub about: String,
    bytes: String,
    pub events: Vec<Event>,
    pub last_event_id: String,
    /// In milliseconds.
    pub retry: Option<u64>,
    /// The comment lines, without their colons.
    pub comments: Vec<String>,
    pub anomalies: Vec<Anomaly>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Event {
    pub data: String,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// At the time of dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomaly {
    /// As in `nul_in_id`.
    pub kind: String,
    pub offset: usize,
}

impl Case {
    pub fn stream(&self) -> Vec<u8> {
        // The corpus is compiled in, and a test reads all of it.
        BASE64_STANDARD.decode(&self.bytes).unwrap_or_default()
    }
}

pub fn corpus() -> &'static [Case] {
    #[derive(Deserialize)]
    struct Group {
        cases: Vec<Case>,
    }
    static CORPUS: LazyLock<Vec<Case>> = LazyLock::new(|| {
        let groups = GROUPS.map(|group| match serde_json::from_str::<Group>(group) {
            Ok(group) => group.cases,
            Err(error) => unreachable!("a test reads the corpus: {error}"),
        });
        groups.into_iter().flatten().collect()
    });
    &CORPUS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_corpus_is_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../specs/corpus");
        let files = std::fs::read_dir(folder).expect("the corpus").filter_map(Result::ok);
        let files = files.filter(|file| file.path().extension().is_some_and(|name| name == "json"));
        assert_eq!(files.count(), GROUPS.len());
        for case in corpus() {
            assert_eq!(BASE64_STANDARD.encode(case.stream()), case.bytes, "{}", case.id);
        }
    }
}
