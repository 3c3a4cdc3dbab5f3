//! The JSON lines form of a transcript.
//!
//! The first line names the format, its version and the target.
//! Then comes each exchange: a line with its request and the part of a connection that is its own,
//! before the first exchange on a connection also its bytes (`written`, `received`) and its end
//! (`closed`), then what was published to the stream meanwhile, and a line that ends it, with the
//! end itself only if the bytes do not show it.
//! Last come the other actions and readings of the run.
//! Times are microseconds since the start of the run.
//!
//! Nothing is written that can be derived from the bytes. An exchange without a connection has all
//! parts itself (`sent`, `head`, `wire`, `body`, `coded`, `coding_fault`); in version 1 each
//! exchange does.

mod read;
mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::read::{read_cut_recording, read_recording};
pub use self::write::write_recording;
use crate::{Close, Ending, Follows, Published, Role, RunEventKind, Source, Target, Transport};
use sseproof_http::{Bytes, CodingFault, Headers, Request, Version};

/// The version of the format that is written, and the newest that is read.
pub const READ_VERSION: u32 = 2;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    #[error("line {line}: {message}")]
    Line { line: usize, message: String },
    #[error(
        "the recording has version {found}, but this program supports versions up to {READ_VERSION}"
    )]
    Version { found: u32 },
    /// The file ends within an exchange.
    #[error("line {line}: the recording is cut off here, within an exchange")]
    Cut { line: usize },
    #[error("the recording is empty")]
    Empty,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Transcript {
        version: u32,
        target: Target,
        started: String,
        #[serde(default, skip_serializing_if = "is_run")]
        source: Source,
    },
    Exchange(Box<ExchangeLine>),
    Written {
        connection: usize,
        at_us: u64,
        bytes: Bytes,
    },
    Received {
        connection: usize,
        at_us: u64,
        bytes: Bytes,
    },
    Closed {
        connection: usize,
        at_us: u64,
        how: Close,
    },
    Sent {
        exchange: usize,
        at_us: u64,
        bytes: Bytes,
    },
    Head {
        exchange: usize,
        at_us: u64,
        version: Version,
        status: u16,
        headers: Headers,
    },
    Wire {
        exchange: usize,
        at_us: u64,
        bytes: Bytes,
    },
    Body {
        exchange: usize,
        at_us: u64,
        bytes: Bytes,
    },
    Coded {
        exchange: usize,
        at_us: u64,
        bytes: Bytes,
    },
    CodingFault {
        exchange: usize,
        what: CodingFault,
    },
    Published {
        exchange: usize,
        what: Published,
    },
    End {
        exchange: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_us: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<Ending>,
    },
    #[serde(rename = "happening")]
    RunEvent {
        at_us: u64,
        scenario: String,
        name: String,
        what: RunEventKind,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeLine {
    number: usize,
    scenario: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<Follows>,
    judged: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    via: bool,
    request: Request,
    #[serde(default, skip_serializing_if = "Transport::is_plain")]
    transport: Transport,
    started_us: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resolved_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connected_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_us: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<OnLine>,
}

/// Which connection, and how many of its chunks belong to the exchange.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnLine {
    connection: usize,
    sent: [usize; 2],
    received: usize,
}

fn is_run(source: &Source) -> bool {
    *source == Source::Run
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PublishOutcome, Transcript};

    /// Two exchanges without a connection, one over HTTP/1 that the server cut, two on a connection
    /// of HTTP/2, and an event of each kind.
    const TEXT: &str = include_str!("../tests/recording.jsonl");

    fn transcript() -> Transcript {
        read_recording(TEXT).unwrap()
    }

    #[test]
    fn what_the_bytes_show_is_made_of_them() {
        let (text, read) = (TEXT, transcript());
        let made: Vec<_> = read.exchanges[2..]
            .iter()
            .map(|exchange| (exchange.body_bytes(), exchange.status(), exchange.end.how.clone()))
            .collect();
        let expected = [
            (b": one\n: t".to_vec(), Some(200), Ending::Reset),
            (b": one\n".to_vec(), Some(200), Ending::Complete),
            (b": one\n".to_vec(), Some(200), Ending::Disconnected),
        ];
        assert_eq!(made, expected);
        assert_eq!(
            text.matches("{\"head\"").count(),
            1,
            "that of the exchange without a connection"
        );
        assert_eq!(text.matches("PRI * HTTP/2.0").count(), 1, "bytes are written once");
        let [one, other] = [3, 4].map(|index| read.exchanges[index].on.clone().unwrap());
        assert!(one.connection.is(&other.connection));
    }

    #[test]
    fn what_is_read_is_written_again() {
        assert_eq!(write_recording(&transcript()), TEXT);
    }

    #[test]
    fn a_recording_that_is_cut_is_read_as_far_as_it_goes() {
        let text = TEXT;
        assert_eq!(read_cut_recording(text), Ok((transcript(), None)));
        // The first line, and the first of the two exchanges.
        let first = text.find("{\"exchange\":{\"number\":2").unwrap();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let read = read_cut_recording(&text[..end]);
            let Ok((read, cut)) = read else {
                assert!(end < text.lines().next().unwrap().len(), "{end}: {read:?}");
                continue;
            };
            let lines = text[..end].lines().count();
            assert!(cut.is_none() || cut == Some(RecordingError::Cut { line: lines }), "{end}");
            if cut.is_some()
                && let Some(last) = read.exchanges.last()
            {
                let is_open = last.number == 1 && end < first;
                assert!(!is_open || last.end.how == Ending::Disconnected, "{end}");
            }
        }
        let torn = text.replacen("{\"head\"", "{\"hea", 1);
        assert!(matches!(read_cut_recording(&torn), Err(RecordingError::Line { line: 4, .. })));
    }

    #[test]
    fn the_outcome_of_poured_bytes_may_be_a_text() {
        let (unanswered, refused) =
            ("POST /publish had no answer in 5s", "POST /publish answered 413");
        for (text, stopped) in [
            ("null".to_owned(), PublishOutcome::Accepted),
            (format!("{unanswered:?}"), PublishOutcome::Unanswered(unanswered.to_owned())),
            (format!("{refused:?}"), PublishOutcome::Failed(refused.to_owned())),
        ] {
            let line = format!("{{\"poured\":{{\"bytes\":1,\"stopped\":{text}}}}}");
            let what: RunEventKind = serde_json::from_str(&line).expect("an event");
            assert_eq!(what, RunEventKind::Poured { bytes: 1, stopped, events: None });
        }
    }

    #[test]
    fn a_recording_that_is_cut_or_wrong_names_the_line() {
        let text = TEXT;
        let cut = &text[..text.len() - 20];
        let last = cut.lines().count();
        assert!(
            matches!(read_recording(cut), Err(RecordingError::Line { line, .. }) if line == last)
        );
        assert_eq!(read_recording("\n"), Err(RecordingError::Empty));
        let later = text.replacen("\"version\":2", "\"version\":99", 1);
        assert_eq!(read_recording(&later), Err(RecordingError::Version { found: 99 }));
        let headless: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        assert!(matches!(read_recording(&headless), Err(RecordingError::Line { line: 1, .. })));
    }
}
