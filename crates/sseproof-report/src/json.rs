//! A report as JSON, for programs: versioned, with a schema; [`read`] reads it again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Counts, Outcome, Report, Standing};

/// The version of the document that [`render`] writes. It changes if readers have to.
pub const VERSION: u32 = 1;

/// The document: the report, and its outcome, so that a reader needs no knowledge of levels,
/// `--strict` and known failures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sseproof report")]
pub struct Document {
    /// The version of this document: 1.
    pub version: u32,
    /// The outcome of the run.
    pub outcome: Outcome,
    /// The ids of the rules that are broken and make the outcome `broken`.
    pub broken: Vec<String>,
    pub counts: Counts,
    /// The report.
    pub report: Report,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    #[error("read the report: {0}")]
    Malformed(String),
    /// It was written by a version that this one does not know.
    #[error("read the report: it has version {found}, this sseproof reads version {VERSION}")]
    Version { found: u64 },
}

pub fn render(report: &Report) -> String {
    let document = Document {
        version: VERSION,
        outcome: report.outcome(),
        broken: report.standing_at(Standing::Broken).map(|found| found.rule.clone()).collect(),
        counts: report.counts(),
        report: report.clone(),
    };
    match serde_json::to_string_pretty(&document) {
        Ok(text) => text + "\n",
        // A report has only strings, numbers, lists and structs.
        Err(error) => unreachable!("a report is plain values: {error}"),
    }
}

/// Reads the output of [`render`].
///
/// # Errors
/// The text is not a report, or has another version.
pub fn read(text: &str) -> Result<Report, ReadError> {
    let malformed = |error: serde_json::Error| ReadError::Malformed(error.to_string());
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(found) if found != u64::from(VERSION) => return Err(ReadError::Version { found }),
        _ => {}
    }
    let document: Document = serde_json::from_str(text).map_err(malformed)?;
    Ok(document.report)
}

pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::example;

    #[test]
    fn what_is_written_is_read_again() {
        let all = ["broken", "held", "partial", "strict", "unknown"].map(example);
        for report in all.into_iter().chain([Report::default()]) {
            assert_eq!(read(&render(&report)), Ok(report));
        }
    }

    #[test]
    fn a_document_reads_well() {
        insta::assert_snapshot!(render(&example("strict")));
    }

    #[test]
    fn what_is_no_report_is_refused() {
        let other = render(&example("held")).replacen("\"version\": 1", "\"version\": 9", 1);
        assert_eq!(read(&other), Err(ReadError::Version { found: 9 }));
        for text in ["", "{}", "[]", "{\"version\": 1}"] {
            assert!(matches!(read(text), Err(ReadError::Malformed(_))), "{text}");
        }
    }

    #[test]
    fn the_schema_names_every_field_of_the_document() {
        let schema = schema();
        let document =
            serde_json::from_str::<serde_json::Value>(&render(&example("broken"))).unwrap();
        let properties = |name: &str| match name {
            "" => schema["properties"].as_object().unwrap(),
            name => schema["$defs"][name]["properties"].as_object().unwrap(),
        };
        let same = |value: &serde_json::Value, name: &str| {
            let mut found: Vec<_> = value.as_object().unwrap().keys().collect();
            let mut named: Vec<_> = properties(name).keys().collect();
            found.sort();
            named.sort();
            assert_eq!(found, named, "{name}");
        };
        let report = &document["report"];
        same(&document, "");
        same(report, "Report");
        same(&report["findings"][0], "Judged");
        same(&report["findings"][0]["evidence"][0], "Evidence");
        same(&report["findings"][4]["evidence"][0]["excerpt"], "Excerpt");
        same(&report["scenarios"][1]["failures"][0], "ScenarioFailure");
        same(&report["known"][0], "KnownResult");
        assert_eq!(schema["$defs"]["Bytes"]["type"], "string");
    }
}
