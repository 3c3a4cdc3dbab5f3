//! Rules on what becomes of dangerous payloads between their author and the subscriber.

mod came_back;
mod comment;
mod data_intact;
mod empty_data;
mod event_name;
mod id;
mod injection;
mod line_ends_refused;
mod trials;

use sseproof_codec::EncodeError;
use sseproof_http::{Plan, Visit};
use sseproof_record::{Exchange, Transcript};

use crate::reference::{self, Message, encoded};
use crate::{Family, LooksAt, Record, Rule, Verdict};

/// The family: the forged first, since it also spoils the events after it.
pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &injection::RULE,
        &data_intact::RULE,
        &empty_data::RULE,
        &event_name::RULE,
        &id::RULE,
        &line_ends_refused::RULE,
        &comment::RULE,
    ],
};

/// The rule that the exchanges break by what was published to them: for a caller
/// that needs to know during a run whether a payload arrived changed.
pub fn broken_by(exchanges: Vec<Exchange>) -> Option<&'static str> {
    let numbered = exchanges.into_iter().zip(1..);
    let exchanges =
        numbered.map(|(exchange, number)| Exchange { number, judged: false, ..exchange });
    let transcript = Transcript { exchanges: exchanges.collect(), ..Transcript::default() };
    let record = Record::new(&transcript);
    let fails = |rule: &&&Rule| matches!((rule.judge)(&record), Verdict::Fail(_));
    FAMILY.rules.iter().find(fails).map(|rule| rule.id)
}

/// The reference, which writes data in this way.
fn publishing(visit: &Visit<'_>, write: fn(&str) -> Vec<u8>) -> Plan {
    writing(visit, |message| {
        let mut out = fields(message)?;
        out.extend(message.data.as_deref().map(write).unwrap_or_default());
        Ok(out)
    })
}

/// The reference, which writes a whole message in this way.
fn writing(visit: &Visit<'_>, write: impl Fn(&Message) -> Result<Vec<u8>, EncodeError>) -> Plan {
    match (visit.request.method.as_str(), visit.request.path()) {
        ("POST", "/publish" | reference::PARTS) => reference::publish_as(visit, write),
        ("POST", reference::ECHO) => reference::echo_as(visit, write),
        _ => reference::answer(visit),
    }
}

/// The reference, which makes something else of a message before it writes it.
fn changing(visit: &Visit<'_>, change: fn(&mut Message)) -> Plan {
    writing(visit, |message| {
        let mut message = message.clone();
        change(&mut message);
        encoded(&message)
    })
}

/// The lines before the data: comment, name, id.
fn fields(message: &Message) -> Result<Vec<u8>, EncodeError> {
    let mut out = encoded(&Message { data: None, ..message.clone() })?;
    if message.event.is_some() || message.id.is_some() {
        // The blank line comes after the data.
        out.pop();
    }
    Ok(out)
}

/// A `data` field for each line, and the blank line.
fn data_lines<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<u8> {
    let mut out: String = lines.into_iter().map(|line| format!("data: {line}\n")).collect();
    out.push('\n');
    out.into_bytes()
}

/// The text with its line ends as a client gives them back: each one an LF.
fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// A text in one line of a message, in backticks: with an escape for all that a terminal would not
/// show, since it is most often just that which is dangerous.
fn shown(text: &str) -> String {
    const SHOWN: usize = 48;
    let mut out = String::from("`");
    for (index, char) in text.chars().enumerate() {
        if index == SHOWN {
            out.push('…');
            break;
        }
        match char {
            '"' | '\'' => out.push(char),
            char => out.extend(char.escape_debug()),
        }
    }
    out + "`"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::body;
    use sseproof_record::{Ending, Published};

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        assert_eq!(shown("a\u{2028}\0\r'\\"), r"`a\u{2028}\0\r'\\`");
        assert_eq!(shown(&"x".repeat(60)), format!("`{}…`", "x".repeat(48)));
    }

    #[test]
    fn one_exchange_is_judged_alone() {
        let broken = |arrives: &str| {
            let text = format!("data: S1\n\ndata: {arrives}\n\ndata: S2\n\n");
            let dangerous =
                Published { payload: Some("a payload".to_owned()), ..Published::of("a") };
            let published = vec![Published::of("S1"), dangerous, Published::of("S2")];
            broken_by(vec![Exchange { published, ..body(text.as_bytes(), Ending::Disconnected) }])
        };
        assert_eq!(broken("b"), Some("encode/data-intact"));
        assert_eq!(broken("a"), None);
    }
}
