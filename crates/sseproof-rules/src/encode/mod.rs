//! Rules on what becomes of dangerous payloads between their author and the subscriber.

mod data_intact;
mod empty_data;
mod injection;
#[cfg(test)]
mod testing;
mod trials;

use sseproof_exchange::{Action, Bytes, Framing, Headers, Plan, Visit};

use crate::{Rule, reference};

/// The family: the forged first, since it also spoils what comes behind it.
pub(crate) const RULES: &[&Rule] = &[&injection::RULE, &data_intact::RULE, &empty_data::RULE];

/// The reference, which writes what is published in this way; what is written as nothing is not
/// sent, though it is answered as if it were.
fn publishing(visit: &Visit<'_>, write: fn(&str) -> Vec<u8>) -> Plan {
    if (visit.request.method.as_str(), visit.request.path()) != ("POST", "/publish") {
        return reference::answer(visit);
    }
    let bytes = Bytes(write(&visit.request.body.to_text()));
    let publish = Action::Publish { topic: "published".to_owned(), bytes };
    let head = Action::Head { status: 204, headers: Headers::default(), framing: Framing::None };
    let actions = [publish, head].into_iter();
    Plan {
        actions: actions
            .filter(|action| !matches!(action, Action::Publish { bytes, .. } if bytes.is_empty()))
            .collect(),
    }
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
