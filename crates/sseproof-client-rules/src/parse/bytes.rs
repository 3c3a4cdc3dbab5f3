//! A stream may come byte by byte.

use std::time::Duration;

use super::difference;
use crate::protocol::Event;
use crate::{Case, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream};

const TEXT: &str = "\u{FEFF}id: 1\r\ndata: \u{e9}\r\n\r\n: c\r\ndata: \u{1F600}\r\ndata\r\n\r\n";
/// Between two bytes.
const PAUSE: u64 = 10;

pub(super) const CASE: Case =
    Case::new("parse-bytes", "the server sends the stream byte by byte, 10 ms apart", |_| {
        TEXT.bytes().fold(stream(), |answer, byte| answer.write(vec![byte]).wait(PAUSE)).hold()
    })
    .patient(Duration::from_millis(3000))
    .until(When::Events(2), Quiet::Short);

pub(super) const RULE: Rule = Rule {
    id: "client/parse-bytes",
    cases: &["parse-bytes"],
    judge,
    mutants: &[Mutant::new(
        "drops-small-pieces",
        "drops pieces of one byte that are a line end",
        Hooks {
            received: |_, bytes, _| {
                if bytes == b"\n" || bytes == b"\r" { Vec::new() } else { bytes.to_vec() }
            },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let event = |data: &str| Event {
        event_type: "message".to_owned(),
        data: data.to_owned(),
        last_event_id: Some("1".to_owned()),
        origin: None,
    };
    match difference(view, &[event("\u{e9}"), event("\u{1F600}\n")]) {
        None => Judgement::held("read byte by byte"),
        Some((Some(entry), message)) => Fault::at(entry, message).into(),
        Some((None, message)) => Fault::missing(message).into(),
    }
}
