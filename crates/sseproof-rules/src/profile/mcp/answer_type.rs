//! A request is answered with JSON or with a stream.

use super::traffic::{each, is_foreign, is_request};
use super::{reference, says};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/answer-type",
    judge,
    mutants: &[Mutant::new("mcp-answer-as-text", "answers a request with text/plain", |visit| {
        let plan = reference::answer(visit);
        if says(visit, "tools/list") && super::status(&plan) == 200 {
            return plan.with_header("Content-Type", "text/plain");
        }
        plan
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no request was answered with 200";
    let wanted = |view: &_| is_request(view) && view.status() == Some(200) && !is_foreign(view);
    each(record, "answer", none, wanted, |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        if !matches!(&*media, "application/json" | "text/event-stream") {
            let message = match &*media {
                "" => "the answer to a request has no Content-Type".to_owned(),
                media => format!("the answer to a request is `{media}`"),
            };
            tally.fault(|| Fault::header(view, "content-type", message));
        }
    })
}
