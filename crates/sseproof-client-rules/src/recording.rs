//! The file of a record: JSON lines, the first with the client, then one for each case.

use serde::{Deserialize, Serialize};

use crate::record::{CaseRecord, ClientRecord, Pace};
use crate::{Hello, cases};

/// The version of the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    /// The version of the recording of a client.
    sseproof_client: u32,
    client: Hello,
    pace: Pace,
    #[serde(default)]
    cut: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    #[error("line {line}: {message}")]
    Line { line: usize, message: String },
    #[error(
        "the recording has version {0}, and this sseproof reads version {VERSION}; record it again"
    )]
    Version(u32),
    #[error("the file is empty")]
    Empty,
}

pub fn write_client_recording(record: &ClientRecord) -> String {
    let ClientRecord { client, pace, cut, cases } = record;
    let first =
        First { sseproof_client: VERSION, client: client.clone(), pace: *pace, cut: cut.clone() };
    let lines = cases.iter().map(serde_json::to_string);
    let lines = [serde_json::to_string(&first)].into_iter().chain(lines);
    // All of it is maps with string keys, which serde_json always writes.
    lines.map(|line| line.unwrap_or_default() + "\n").collect()
}

/// The record of the file; cases that are not known here are left out.
///
/// # Errors
/// [`RecordingError`] for another file, with the line.
pub fn read_client_recording(text: &str) -> Result<ClientRecord, RecordingError> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let wrong = |index: usize, error: serde_json::Error| RecordingError::Line {
        line: index + 1,
        message: error.to_string(),
    };
    let (index, first) = lines.next().ok_or(RecordingError::Empty)?;
    let first: First = serde_json::from_str(first).map_err(|error| wrong(index, error))?;
    if first.sseproof_client != VERSION {
        return Err(RecordingError::Version(first.sseproof_client));
    }
    let mut found: Vec<CaseRecord> = Vec::new();
    for (index, line) in lines {
        found.push(serde_json::from_str(line).map_err(|error| wrong(index, error))?);
    }
    found.retain(|record| cases().any(|case| case.id == record.case));
    let First { client, pace, cut, .. } = first;
    Ok(ClientRecord { client, pace, cut, cases: found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_is_refused_with_its_line() {
        for (text, says) in [
            ("", "the file is empty"),
            ("{}", "line 1: missing field"),
            ("not json\n", "line 1: expected"),
            (
                "{\"sseproof_client\":9,\"client\":{\"name\":\"a\",\"kind\":\"reader\"},\"pace\":{\"reconnects_us\":null}}",
                "version 9",
            ),
        ] {
            let error = read_client_recording(text).expect_err(text).to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
