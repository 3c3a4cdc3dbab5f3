//! The JSON lines form of a transcript.
//!
//! The first line names the format, its version and the target; then come, for each exchange, a
//! line with the request, one with what was written of it to the wire, one with the head, one for
//! each piece of the wire and of the body, one for each piece of a body whose content coding was
//! undone, and one with where that could not be done, one for each thing that was published to the stream
//! meanwhile, and one with the end; and last a line for each thing that the run did to the server,
//! or read of it, besides the exchanges.
//! Times are microseconds since the start of the run.

use std::fmt::Write as _;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Chunk, CodingFault, End, Ending, Exchange, Follows, Happening, Head, Headers, Phases,
    Published, Request, Source, Target, Transcript, Transport, Version, What,
};

/// The version of the format that is written, and the newest that is read.
pub const READ_VERSION: u32 = 1;

/// Why a recording cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// A line is not what the format asks for.
    #[error("line {line}: {message}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// The file is of a later version than this program reads.
    #[error("the recording has version {found}, and this program reads up to {READ_VERSION}")]
    Version {
        /// The version of the file.
        found: u32,
    },
    /// The file ends in the middle of an exchange.
    #[error("line {line}: the recording is cut off here, in the middle of an exchange")]
    Cut {
        /// The last line.
        line: usize,
    },
    /// There is no line at all.
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
        at_us: u64,
        how: Ending,
    },
    Happening {
        at_us: u64,
        scenario: String,
        name: String,
        what: What,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeLine {
    number: usize,
    scenario: String,
    name: String,
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
}

/// The transcript as JSON lines.
pub fn write_recording(transcript: &Transcript) -> String {
    let mut out = String::new();
    let mut line = |line: &Line| {
        // Serialising these types cannot fail: no map has a key that is not a string.
        if let Ok(json) = serde_json::to_string(line) {
            let _ = writeln!(out, "{json}");
        }
    };
    line(&Line::Transcript {
        version: READ_VERSION,
        target: transcript.target.clone(),
        started: transcript.started.clone(),
        source: transcript.source,
    });
    for exchange in &transcript.exchanges {
        let number = exchange.number;
        line(&Line::Exchange(Box::new(ExchangeLine {
            number,
            scenario: exchange.scenario.clone(),
            name: exchange.name.clone(),
            follows: exchange.follows,
            judged: exchange.judged,
            via: exchange.via,
            request: exchange.request.clone(),
            transport: exchange.transport.clone(),
            started_us: micros(exchange.started),
            resolved_us: exchange.phases.resolved.map(micros),
            connected_us: exchange.phases.connected.map(micros),
            sent_us: exchange.phases.sent.map(micros),
        })));
        for chunk in &exchange.sent {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            line(&Line::Sent { exchange: number, at_us, bytes });
        }
        if let Some(head) = &exchange.head {
            line(&Line::Head {
                exchange: number,
                at_us: micros(head.at),
                version: head.version,
                status: head.status,
                headers: head.headers.clone(),
            });
        }
        for chunk in &exchange.wire {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            line(&Line::Wire { exchange: number, at_us, bytes });
        }
        for chunk in &exchange.body {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            line(&Line::Body { exchange: number, at_us, bytes });
        }
        for chunk in &exchange.coded {
            let (at_us, bytes) = (micros(chunk.at), chunk.bytes.clone());
            line(&Line::Coded { exchange: number, at_us, bytes });
        }
        if let Some(what) = exchange.coding_fault.clone() {
            line(&Line::CodingFault { exchange: number, what });
        }
        for published in &exchange.published {
            line(&Line::Published { exchange: number, what: published.clone() });
        }
        let (at_us, how) = (micros(exchange.end.at), exchange.end.how.clone());
        line(&Line::End { exchange: number, at_us, how });
    }
    for happening in &transcript.happenings {
        line(&Line::Happening {
            at_us: micros(happening.at),
            scenario: happening.scenario.clone(),
            name: happening.name.clone(),
            what: happening.what.clone(),
        });
    }
    out
}

/// The transcript that the JSON lines hold.
///
/// # Errors
/// [`RecordingError`], with the line, where the text is not a recording or one of a later version.
pub fn read_recording(text: &str) -> Result<Transcript, RecordingError> {
    let mut transcript = None;
    read(&mut transcript, text)?;
    transcript.ok_or(RecordingError::Empty)
}

/// The transcript that the JSON lines hold, as far as they go: where the file is cut, the second
/// value says where and why.
///
/// What was cut off is taken for something that we did not wait for: the last exchange then ends
/// with what is known of it, by our own leaving.
///
/// # Errors
/// [`RecordingError`] as of [`read_recording`], where a line is wrong and another one follows it.
pub fn read_cut_recording(
    text: &str,
) -> Result<(Transcript, Option<RecordingError>), RecordingError> {
    let mut transcript = None;
    let ended = read(&mut transcript, text);
    let last = text.trim_end().lines().count();
    let mut transcript = transcript.ok_or(RecordingError::Empty);
    let cut = match ended {
        // Only a line that the file ends in, without a line end, was cut off.
        Err(RecordingError::Line { line, .. }) if line == last && line > 1 => {
            Some(RecordingError::Cut { line })
        }
        Err(error) => return Err(error),
        Ok(()) => is_open(text).then_some(RecordingError::Cut { line: last }),
    };
    if let (true, Ok(transcript)) = (is_open(text), &mut transcript)
        && let Some(exchange) = transcript.exchanges.last_mut()
    {
        let pieces = exchange.wire.iter().chain(&exchange.body).map(|chunk| chunk.at);
        let at = pieces.chain(exchange.head.as_ref().map(|head| head.at)).max();
        exchange.end = End { at: at.unwrap_or(exchange.started), how: Ending::Left };
    }
    transcript.map(|transcript| (transcript, cut))
}

/// Whether the last exchange has no end.
fn is_open(text: &str) -> bool {
    let ends = text.lines().rev().find_map(|line| match serde_json::from_str(line) {
        Ok(Line::End { .. }) => Some(false),
        Ok(Line::Exchange(_)) => Some(true),
        _ => None,
    });
    ends.unwrap_or(false)
}

fn read(transcript: &mut Option<Transcript>, text: &str) -> Result<(), RecordingError> {
    for (index, json) in text.lines().enumerate().filter(|(_, json)| !json.trim().is_empty()) {
        let fault = |message: String| RecordingError::Line { line: index + 1, message };
        let line: Line = serde_json::from_str(json).map_err(|error| fault(error.to_string()))?;
        match (&mut *transcript, line) {
            (None, Line::Transcript { version, target, started, source }) => {
                if version > READ_VERSION {
                    return Err(RecordingError::Version { found: version });
                }
                *transcript = Some(Transcript { target, started, source, ..Transcript::default() });
            }
            (None, _) => {
                return Err(fault("the first line must be a `transcript` line".to_owned()));
            }
            (Some(_), Line::Transcript { .. }) => {
                return Err(fault("a second `transcript` line".to_owned()));
            }
            (Some(transcript), line) => add(transcript, line).map_err(fault)?,
        }
    }
    Ok(())
}

fn add(transcript: &mut Transcript, line: Line) -> Result<(), String> {
    match line {
        Line::Transcript { .. } => {}
        Line::Exchange(line) => {
            let expected = transcript.exchanges.len() + 1;
            if line.number != expected {
                return Err(format!("exchange {} where {expected} must come", line.number));
            }
            let started = Duration::from_micros(line.started_us);
            transcript.exchanges.push(Exchange {
                scenario: line.scenario,
                name: line.name,
                follows: line.follows,
                judged: line.judged,
                via: line.via,
                transport: line.transport,
                phases: Phases {
                    resolved: line.resolved_us.map(Duration::from_micros),
                    connected: line.connected_us.map(Duration::from_micros),
                    sent: line.sent_us.map(Duration::from_micros),
                },
                ..Exchange::begun(line.number, line.request, started)
            });
        }
        Line::Sent { exchange, at_us, bytes } => {
            of(transcript, exchange)?.sent.push(Chunk { at: Duration::from_micros(at_us), bytes });
        }
        Line::Head { exchange, at_us, version, status, headers } => {
            let at = Duration::from_micros(at_us);
            of(transcript, exchange)?.head = Some(Head { at, version, status, headers });
        }
        Line::Wire { exchange, at_us, bytes } => {
            of(transcript, exchange)?.wire.push(Chunk { at: Duration::from_micros(at_us), bytes });
        }
        Line::Body { exchange, at_us, bytes } => {
            of(transcript, exchange)?.body.push(Chunk { at: Duration::from_micros(at_us), bytes });
        }
        Line::Coded { exchange, at_us, bytes } => {
            of(transcript, exchange)?.coded.push(Chunk { at: Duration::from_micros(at_us), bytes });
        }
        Line::CodingFault { exchange, what } => {
            of(transcript, exchange)?.coding_fault = Some(what);
        }
        Line::Published { exchange, what } => of(transcript, exchange)?.published.push(what),
        Line::End { exchange, at_us, how } => {
            of(transcript, exchange)?.end = End { at: Duration::from_micros(at_us), how };
        }
        Line::Happening { at_us, scenario, name, what } => {
            let at = Duration::from_micros(at_us);
            transcript.happenings.push(Happening { at, scenario, name, what });
        }
    }
    Ok(())
}

fn of(transcript: &mut Transcript, number: usize) -> Result<&mut Exchange, String> {
    number
        .checked_sub(1)
        .and_then(|index| transcript.exchanges.get_mut(index))
        .ok_or_else(|| format!("exchange {number} has no `exchange` line before"))
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
    use crate::{Gauge, Lack, Part, PublishOutcome, Reading, Reason};

    fn happenings() -> Vec<Happening> {
        let published = Published {
            payload: None,
            data: "hello".to_owned(),
            outcome: PublishOutcome::Accepted,
            ..Published::default()
        };
        let reading = |value| Reading { gauge: Gauge::Active, value, against: None };
        [
            What::Reading(reading(Ok(3))),
            What::Reading(reading(Err("GET /active answered 500".to_owned()))),
            What::Published { what: published, answered_us: Some(7) },
            What::Restarted { ready_us: Some(90), failed: None },
            What::Churned { connections: 200, streams: 199, last: 2 },
            What::Stalled { exchange: 1 },
            What::Unread { exchange: 1, bytes: Ok(9) },
            What::Unread { exchange: 1, bytes: Err("a proxy stands between".to_owned()) },
            What::LeftByReset { exchange: 1 },
            What::Poured { bytes: 1 << 20, stopped: None },
            What::LeftOut { part: Part::Event, tried: 3, of_all: 9, why: "time".to_owned() },
            What::Lacking(Lack::Via),
        ]
        .into_iter()
        .map(|what| Happening {
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
        Transcript {
            target: Target {
                url: "http://h/s".to_owned(),
                method: "GET".to_owned(),
                profile: Some("openai-chat".to_owned()),
            },
            started: "2026-01-01T00:00:00Z".to_owned(),
            source: Source::Run,
            exchanges: vec![first, second],
            happenings: happenings(),
        }
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
                assert!(!is_open || last.end.how == Ending::Left, "{end}");
            }
        }
        let torn = text.replacen("{\"head\"", "{\"hea", 1);
        assert!(matches!(read_cut_recording(&torn), Err(RecordingError::Line { line: 4, .. })));
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
        let later = text.replacen("\"version\":1", "\"version\":99", 1);
        assert_eq!(read_recording(&later), Err(RecordingError::Version { found: 99 }));
        let headless: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
        assert!(matches!(read_recording(&headless), Err(RecordingError::Line { line: 1, .. })));
    }
}
