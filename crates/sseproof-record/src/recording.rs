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
    use crate::{
        Chunk, Closed, Connection, End, Exchange, Gauge, Head, Lack, OnConnection, Part, Phases,
        PublishOutcome, Reading, Reason, RunEvent, SharedConnection, Transcript,
    };
    use sseproof_http::http2;

    fn run_events() -> Vec<RunEvent> {
        let published = Published {
            payload: None,
            data: "hello".to_owned(),
            outcome: PublishOutcome::Accepted,
            ..Published::default()
        };
        let reading = |value| Reading { gauge: Gauge::Active, value, against: None };
        [
            RunEventKind::Reading(reading(Ok(3))),
            RunEventKind::Reading(reading(Err("GET /active answered 500".to_owned()))),
            RunEventKind::Published { what: published, answered_us: Some(7) },
            RunEventKind::Restarted { ready_us: Some(90), failed: None },
            RunEventKind::Churned { connections: 200, streams: 199, last: 2 },
            RunEventKind::Stalled { exchange: 1 },
            RunEventKind::Unread { exchange: 1, bytes: Ok(9) },
            RunEventKind::Unread { exchange: 1, bytes: Err("a proxy stands between".to_owned()) },
            RunEventKind::LeftByReset { exchange: 1 },
            RunEventKind::Poured { bytes: 1 << 20, stopped: PublishOutcome::Accepted },
            RunEventKind::Poured { bytes: 9, stopped: PublishOutcome::Unanswered("?".to_owned()) },
            RunEventKind::LeftOut {
                part: Part::Event,
                tried: 3,
                of_all: 9,
                why: "time".to_owned(),
            },
            RunEventKind::Lacking(Lack::Via),
        ]
        .into_iter()
        .map(|what| RunEvent {
            at: Duration::from_micros(70),
            scenario: "baseline".to_owned(),
            name: "before".to_owned(),
            what,
        })
        .collect()
    }

    fn transcript() -> Transcript {
        let at = Duration::from_micros;
        let first = Exchange {
            scenario: "baseline".to_owned(),
            name: "first".to_owned(),
            phases: Phases { resolved: None, connected: Some(at(10)), sent: Some(at(12)) },
            sent: vec![Chunk { at: at(12), bytes: Bytes::from(b"GET /s HTTP/1.1\r\n\r\n") }],
            head: Some(Head {
                at: at(20),
                version: Version::Http11,
                status: 200,
                headers: [("Content-Type", "text/event-stream")].into_iter().collect(),
            }),
            wire: vec![Chunk { at: at(20), bytes: Bytes::from(b"HTTP/1.1 200 OK\r\n\r\n") }],
            body: vec![Chunk { at: at(30), bytes: Bytes::from(b"data: caf\xE9\n\n") }],
            published: vec![Published {
                payload: Some("a NUL".to_owned()),
                data: "a\0b".to_owned(),
                event: Some("x".to_owned()),
                outcome: PublishOutcome::Refused("POST /publish answered 422".to_owned()),
                ..Published::default()
            }],
            end: End { at: at(40), how: Ending::Reset },
            ..Exchange::begun(1, Request::subscribe("http://h/s"), at(1))
        };
        let second = Exchange {
            follows: Some(Follows { exchange: 1, reason: Reason::Reconnect }),
            judged: false,
            via: true,
            coded: vec![Chunk { at: at(52), bytes: Bytes::from(b"\x1F\x8B\x08") }],
            coding_fault: Some(CodingFault {
                at: 3,
                message: "corrupt deflate stream".to_owned(),
                too_much: false,
            }),
            transport: Transport { stream: Some(3), ..Transport::default() },
            end: End { at: at(60), how: Ending::OverLimit(7) },
            ..Exchange::begun(2, Request::subscribe("http://h/s"), at(50))
        };
        let exchanges = [first, second].into_iter().chain(on_connections()).collect();
        Transcript {
            target: Target {
                url: "http://h/s".to_owned(),
                method: "GET".to_owned(),
                profile: Some("openai-chat".to_owned()),
            },
            started: "2026-01-01T00:00:00Z".to_owned(),
            source: Source::Run,
            exchanges,
            run_events: run_events(),
        }
    }

    fn pieces(text: &[u8], size: usize) -> Vec<Chunk> {
        let chunks = text.chunks(size).zip(100..);
        chunks
            .map(|(piece, at)| Chunk { at: Duration::from_micros(at), bytes: piece.into() })
            .collect()
    }

    /// One over HTTP/1 that the server cut, and two on a connection of HTTP/2.
    fn on_connections() -> Vec<Exchange> {
        let at = Duration::from_micros;
        let exchange = |number, stream, on, stated| {
            let request = Request::subscribe("http://h/s");
            let transport = Transport { stream, ..Transport::default() };
            let mut exchange =
                Exchange { on: Some(on), transport, ..Exchange::begun(number, request, at(90)) };
            exchange.derive(stated);
            exchange
        };
        let response =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n: one\n\r\n6\r\n: t";
        let cut = Connection {
            sent: pieces(b"GET /s HTTP/1.1\r\n\r\n", 9),
            received: pieces(response, 7),
            closed: Some(Closed { at: at(400), how: Close::Reset }),
        };
        let mut frames = Vec::new();
        http2::write_frame(&mut frames, http2::kind::SETTINGS, 0, 0, &[]);
        for (stream, flags) in [(1, http2::flag::END_STREAM), (3, 0)] {
            let mut block = Vec::new();
            http2::write_field(&mut block, b":status", b"200");
            http2::write_fields(&mut frames, stream, false, &block);
            http2::write_frame(&mut frames, http2::kind::DATA, flags, stream, b": one\n");
        }
        let shared = Connection {
            sent: pieces(http2::PREFACE, 24),
            received: pieces(&frames, 10),
            closed: None,
        };
        let chunks = shared.received.len();
        let connection = SharedConnection::new(shared);
        let on = |received| OnConnection { connection: connection.clone(), sent: 0..1, received };
        let left = End { at: at(500), how: Ending::Disconnected };
        vec![
            exchange(3, None, OnConnection::alone(cut), None),
            exchange(4, Some(1), on(chunks - 1), None),
            exchange(5, Some(3), on(chunks), Some(left)),
        ]
    }

    #[test]
    fn what_the_bytes_show_is_made_of_them() {
        let text = write_recording(&transcript());
        let read = read_recording(&text).unwrap();
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
    fn what_is_written_is_read_again() {
        let transcript = transcript();
        assert_eq!(read_recording(&write_recording(&transcript)), Ok(transcript));
    }

    #[test]
    fn a_recording_that_is_cut_is_read_as_far_as_it_goes() {
        let text = write_recording(&transcript());
        let whole = read_cut_recording(&text);
        assert_eq!(whole, Ok((transcript(), None)));
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
            assert_eq!(what, RunEventKind::Poured { bytes: 1, stopped });
        }
    }

    #[test]
    fn a_recording_that_is_cut_or_wrong_names_the_line() {
        let text = write_recording(&transcript());
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
