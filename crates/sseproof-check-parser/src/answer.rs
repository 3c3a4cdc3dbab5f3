//! The answer of a parser to a stream.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use sseproof_codec::Decoder;
use sseproof_corpus::Event;

/// A parser under test: each call is a new stream, fed to a new parser.
pub trait Parser {
    /// Parses the stream that these chunks make.
    ///
    /// # Errors
    /// The parser failed, or its answer is not valid: the [`Fault`] says why.
    fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault>;
}

/// The result of a parser for a stream. A member that it does not report is `None`, and not judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Answer {
    pub events: Vec<Event>,
    /// At the end of the stream.
    #[serde(default)]
    pub last_event_id: Option<String>,
    /// At the end of the stream; `Some(None)` if the stream has set none.
    #[serde(default, deserialize_with = "present")]
    pub retry: Option<Option<u64>>,
    /// How long parsing took.
    #[serde(default)]
    pub nanos: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The parser reports an error, though every stream can be decoded.
    Refused(String),
    /// Its process ended.
    Died {
        /// As the system describes it.
        status: String,
        stderr: String,
    },
    /// It did not answer in time, and was killed.
    Silent {
        waited: Duration,
        stderr: String,
    },
    /// It wrote a line that is not an answer.
    Garbage {
        why: String,
        line: String,
        stderr: String,
    },
    /// It answered another question.
    OutOfOrder {
        asked: u64,
        answered: u64,
        stderr: String,
    },
    Gone(String),
}

impl Fault {
    /// Whether the process failed, rather than the parser.
    pub const fn is_of_the_process(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    fn stderr(&self) -> &str {
        match self {
            Self::Refused(_) | Self::Gone(_) => "",
            Self::Died { stderr, .. }
            | Self::Silent { stderr, .. }
            | Self::Garbage { stderr, .. }
            | Self::OutOfOrder { stderr, .. } => stderr,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => return write!(f, "the parser gives an error: {error}"),
            Self::Gone(error) => {
                return write!(f, "cannot restart the adapter: {error}");
            }
            Self::Died { status, .. } => write!(f, "the adapter exited ({status})")?,
            Self::Silent { waited, .. } => {
                write!(f, "the adapter did not answer within {waited:?}")?;
            }
            Self::Garbage { why, line, .. } => {
                write!(f, "the adapter wrote a line that is not an answer ({why}): {line:?}")?;
            }
            Self::OutOfOrder { asked, answered, .. } => {
                write!(f, "the adapter was asked question {asked} and answered {answered}")?;
            }
        }
        match self.stderr() {
            "" => f.write_str("; it wrote nothing to standard error"),
            stderr => write!(f, "; its standard error ends with:\n{stderr}"),
        }
    }
}

#[derive(Debug, Default)]
pub struct Reference;

impl Parser for Reference {
    fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault> {
        let mut decoder = Decoder::new();
        let mut answer = Answer::default();
        for chunk in chunks {
            let mut events = decoder.feed(chunk);
            while let Some(event) = events.next() {
                answer.events.push(Event {
                    data: event.data.into_owned(),
                    event_type: Some(event.event_type.into_owned()),
                    last_event_id: Some(event.last_event_id.into_owned()),
                });
            }
        }
        decoder.finish();
        answer.last_event_id = Some(decoder.last_event_id().to_owned());
        answer.retry = Some(decoder.reconnection_time());
        Ok(answer)
    }
}

/// A key that is present, even if `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(Some(None));
    };
    // JSON has one kind of number, and many languages write a large one as a fraction. The cast
    // saturates, and so long times are not judged.
    let whole = number.as_f64().filter(|millis| *millis >= 0.0 && millis.fract() == 0.0);
    match number.as_u64().or(whole.map(|millis| millis as u64)) {
        Some(millis) => Ok(Some(Some(millis))),
        None => {
            let why = format!("`retry` must be a whole number of milliseconds, not {number}");
            Err(serde::de::Error::custom(why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(json: &str) -> Result<Option<Option<u64>>, String> {
        let answer = format!(r#"{{"events":[],"retry":{json}}}"#);
        let answer = serde_json::from_str::<Answer>(&answer).map_err(|error| error.to_string())?;
        Ok(answer.retry)
    }

    #[test]
    fn a_time_is_a_whole_number_however_large() {
        assert_eq!(retry("null"), Ok(Some(None)));
        assert_eq!(retry("5"), Ok(Some(Some(5))));
        assert_eq!(retry("5.0"), Ok(Some(Some(5))));
        assert_eq!(retry("100000000000000000000"), Ok(Some(Some(u64::MAX))));
        for wrong in ["5.5", "-1", "\"5\""] {
            assert!(retry(wrong).is_err_and(|error| error.contains("number")), "{wrong}");
        }
    }
}
