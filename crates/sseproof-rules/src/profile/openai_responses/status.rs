//! The status of the response is that of the event.

use serde_json::json;

use super::reworded;
use crate::profile::json::shown;
use crate::profile::typed::each_typed;
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/status",
    judge,
    mutants: &[Mutant::new(
        "completed-in-progress",
        "sends `response.completed` with a response that is in progress",
        |visit| {
            reworded(visit, |_, event| {
                if event["type"] == "response.completed" {
                    event["response"]["status"] = json!("in_progress");
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream carried an event with the response";
    each_typed(record, "event", none, |stream, tally| {
        for piece in &stream.pieces {
            let right: &[&str] = match piece.kind() {
                "response.created" => &["in_progress", "queued"],
                "response.queued" => &["queued"],
                "response.in_progress" => &["in_progress"],
                "response.completed" => &["completed"],
                "response.failed" => &["failed"],
                "response.incomplete" => &["incomplete"],
                _ => continue,
            };
            tally.look();
            let status = &piece.json["response"]["status"];
            if !right.iter().any(|right| status == right) {
                let message =
                    format!("`{}` has a response with status {}", piece.kind(), shown(status));
                tally.fault(|| stream.fault(piece, message));
            }
        }
    })
}
