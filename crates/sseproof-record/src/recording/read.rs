//! A transcript from JSON lines.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{ExchangeLine, Line, OnLine, READ_VERSION, RecordingError};
use crate::{
    Chunk, Closed, Connection, End, Ending, Exchange, Head, OnConnection, Phases, Role, RunEvent,
    RunEventKind, SharedConnection, Transcript,
};

/// The transcript of the JSON lines.
///
/// # Errors
/// [`RecordingError`], with the line, if the text is not a recording or one of a later version.
pub fn read_recording(text: &str) -> Result<Transcript, RecordingError> {
    let mut reader = Reader::default();
    reader.read(text)?;
    reader.whole().ok_or(RecordingError::Empty)
}

/// The transcript of the JSON lines, also of a file that is cut: then the second value says where
/// and why.
///
/// The last exchange of a file that is cut ends there, as if the client had disconnected.
///
/// # Errors
/// [`RecordingError`] as of [`read_recording`], if a line is wrong and another one follows it.
pub fn read_cut_recording(
    text: &str,
) -> Result<(Transcript, Option<RecordingError>), RecordingError> {
    let mut reader = Reader::default();
    let ended = reader.read(text);
    let last = text.trim_end().lines().count();
    let is_open = reader.open.is_some();
    let transcript = reader.whole().ok_or(RecordingError::Empty);
    let cut = match ended {
        // Only a last line without a line end was cut off.
        Err(RecordingError::Line { line, .. }) if line == last && line > 1 => {
            Some(RecordingError::Cut { line })
        }
        Err(error) => return Err(error),
        Ok(()) => is_open.then_some(RecordingError::Cut { line: last }),
    };
    transcript.map(|transcript| (transcript, cut))
}

/// The latest time, 35 years after the start, and the largest counter: differences of differences
/// and sums of any of them are far from an overflow.
const MOST: u64 = 1 << 50;
/// The most bytes of data of a numbered event: rules write it again. A client accepts no more.
const EVENT: usize = 8 << 20;

fn time(at_us: u64) -> Duration {
    Duration::from_micros(at_us.min(MOST))
}

/// The same with counters of at most [`MOST`].
fn bounded(what: RunEventKind) -> Result<RunEventKind, String> {
    if let RunEventKind::Poured { events: Some(events), .. } = &what
        && events.size > EVENT
    {
        return Err(format!("events of {} bytes; at most {EVENT} are published", events.size));
    }
    let Ok(mut json) = serde_json::to_value(&what) else { return Ok(what) };
    bound(&mut json);
    Ok(serde_json::from_value(json).unwrap_or(what))
}

fn bound(json: &mut Value) {
    match json {
        Value::Number(number) if number.as_u64().is_some_and(|number| number > MOST) => {
            *number = MOST.into();
        }
        Value::Array(all) => all.iter_mut().for_each(bound),
        Value::Object(all) => all.values_mut().for_each(bound),
        _ => {}
    }
}

#[derive(Default)]
struct Reader {
    transcript: Option<Transcript>,
    version: u32,
    connections: BTreeMap<usize, Connection>,
    /// For each exchange, its part of a connection.
    parts: Vec<Option<OnLine>>,
    /// For each exchange, the end that the bytes do not show.
    ends: Vec<Option<End>>,
    open: Option<usize>,
}

impl Reader {
    fn read(&mut self, text: &str) -> Result<(), RecordingError> {
        for (index, json) in text.lines().enumerate().filter(|(_, json)| !json.trim().is_empty()) {
            let fault = |message: String| RecordingError::Line { line: index + 1, message };
            let line: Line =
                serde_json::from_str(json).map_err(|error| fault(error.to_string()))?;
            match (&self.transcript, line) {
                (None, Line::Transcript { version, target, started, source }) => {
                    if version > READ_VERSION {
                        return Err(RecordingError::Version { found: version });
                    }
                    let begun = Transcript { target, started, source, ..Transcript::default() };
                    self.transcript = Some(begun);
                    self.version = version;
                }
                (None, _) => {
                    return Err(fault("the first line must be a `transcript` line".to_owned()));
                }
                (Some(_), Line::Transcript { .. }) => {
                    return Err(fault("a second `transcript` line".to_owned()));
                }
                (Some(_), line) => self.add(line).map_err(fault)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        let chunk = |at_us, bytes| Chunk { at: time(at_us), bytes };
        match line {
            Line::Transcript { .. } => {}
            Line::Exchange(line) => self.begin(*line)?,
            Line::Written { connection, at_us, bytes } => {
                self.connection(connection).sent.push(chunk(at_us, bytes));
            }
            Line::Received { connection, at_us, bytes } => {
                self.connection(connection).received.push(chunk(at_us, bytes));
            }
            Line::Closed { connection, at_us, how } => {
                let at = time(at_us);
                self.connection(connection).closed = Some(Closed { at, how });
            }
            Line::Sent { exchange, at_us, bytes } => {
                self.of(exchange)?.sent.push(chunk(at_us, bytes));
            }
            Line::Head { exchange, at_us, version, status, headers } => {
                let at = time(at_us);
                self.of(exchange)?.head = Some(Head { at, version, status, headers });
            }
            Line::Wire { exchange, at_us, bytes } => {
                self.of(exchange)?.wire.push(chunk(at_us, bytes));
            }
            Line::Body { exchange, at_us, bytes } => {
                self.of(exchange)?.body.push(chunk(at_us, bytes));
            }
            Line::Coded { exchange, at_us, bytes } => {
                self.of(exchange)?.coded.push(chunk(at_us, bytes));
            }
            Line::CodingFault { exchange, what } => self.of(exchange)?.coding_fault = Some(what),
            Line::Published { exchange, what } => self.of(exchange)?.published.push(what),
            Line::End { exchange, at_us, how } => {
                self.of(exchange)?;
                self.open = None;
                let end = at_us.zip(how);
                self.ends[exchange - 1] = end.map(|(at_us, how)| End { at: time(at_us), how });
            }
            Line::RunEvent { at_us, scenario, name, what } => {
                let at = time(at_us);
                let what = bounded(what)?;
                self.transcript().run_events.push(RunEvent { at, scenario, name, what });
            }
        }
        Ok(())
    }

    fn begin(&mut self, line: ExchangeLine) -> Result<(), String> {
        let expected = self.parts.len() + 1;
        if line.number != expected {
            return Err(format!("expected exchange {expected}, found {}", line.number));
        }
        let role = match self.version {
            1 => Role::of_version_1(&line.scenario, &line.name),
            _ => line.role,
        };
        let exchange = Exchange {
            scenario: line.scenario,
            name: line.name,
            role,
            follows: line.follows,
            judged: line.judged,
            via: line.via,
            transport: line.transport,
            phases: Phases {
                resolved: line.resolved_us.map(time),
                connected: line.connected_us.map(time),
                sent: line.sent_us.map(time),
            },
            ..Exchange::begun(line.number, line.request, time(line.started_us))
        };
        self.transcript().exchanges.push(exchange);
        self.parts.push(line.on);
        self.ends.push(None);
        self.open = Some(line.number);
        Ok(())
    }

    fn transcript(&mut self) -> &mut Transcript {
        self.transcript.get_or_insert_default()
    }

    fn connection(&mut self, number: usize) -> &mut Connection {
        self.connections.entry(number).or_default()
    }

    fn of(&mut self, number: usize) -> Result<&mut Exchange, String> {
        let index = number.checked_sub(1);
        index
            .and_then(|index| self.transcript().exchanges.get_mut(index))
            .ok_or_else(|| format!("exchange {number} has no `exchange` line before"))
    }

    /// The transcript, with the values derived from the bytes.
    fn whole(self) -> Option<Transcript> {
        let mut transcript = self.transcript?;
        let connections: BTreeMap<_, _> = self
            .connections
            .into_iter()
            .map(|(number, connection)| (number, SharedConnection::new(connection)))
            .collect();
        for ((exchange, part), end) in
            transcript.exchanges.iter_mut().zip(self.parts).zip(self.ends)
        {
            if let Some(part) = part {
                let connection = connections.get(&part.connection).cloned().unwrap_or_default();
                // The recording may name chunks that the connection does not have.
                let log = connection.lock();
                let [begin, end] = part.sent.map(|count| count.min(log.sent.len()));
                let sent = begin..end.max(begin);
                let received = part.received.min(log.received.len());
                drop(log);
                exchange.on = Some(OnConnection { connection, sent, received });
            }
            if self.open == Some(exchange.number) {
                exchange.derive(None);
                let pieces = exchange.wire.iter().chain(&exchange.body).map(|chunk| chunk.at);
                let at = pieces.chain(exchange.head.as_ref().map(|head| head.at)).max();
                exchange.end =
                    End { at: at.unwrap_or(exchange.started), how: Ending::Disconnected };
            } else if exchange.on.is_some() {
                exchange.derive(end);
            } else if let Some(end) = end {
                exchange.end = end;
            }
        }
        Some(transcript)
    }
}
