//! One stream tells of one response.

use serde_json::{Value, json};

use super::reworded;
use crate::profile::json::shown;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/same-response",
    judge,
    mutants: &[Mutant::new(
        "response-id-per-event",
        "makes a new response id for each event that carries the response",
        |visit| {
            reworded(visit, |index, event| {
                if event["response"].is_object() {
                    event["response"]["id"] = json!(format!("resp_{index}"));
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an event with the response";
    each_typed(record, "event", none, |stream, tally| {
        let mut first: Option<&Value> = None;
        for piece in stream.pieces.iter().filter(|piece| piece.json["response"].is_object()) {
            tally.look();
            let id = &piece.json["response"]["id"];
            let wrong = match first {
                _ if !id.is_string() => format!("`{}` has no `response.id`", piece.kind()),
                None => {
                    first = Some(id);
                    continue;
                }
                Some(first) if first == id => continue,
                Some(first) => {
                    format!("`response.id` is {}, and was {} before", shown(id), shown(first))
                }
            };
            tally.fault(|| stream.fault(piece, wrong));
        }
    })
}
