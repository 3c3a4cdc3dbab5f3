//! A method that nobody has.

use super::reference;
use super::traffic::{NO_METHOD, asked, each};
use crate::profile::json::read;
use crate::stream::quoted;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/method-unknown",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-unknown-method-200",
            "answers an unknown method with 200 and the error",
            |visit| {
                let plan = reference::answer(visit);
                if super::status(&plan) == 404 { plan.with_status(200) } else { plan }
            },
        ),
        Mutant::new(
            "mcp-unknown-method-page",
            "answers an unknown method with the 404 of its framework",
            |visit| {
                let plan = reference::answer(visit);
                if super::status(&plan) == 404 {
                    return sseproof_record::Plan::answer(404, "text/plain", "not found\n");
                }
                plan
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no unknown method was asked for";
    let wanted = |view: &View<'_>| asked(view)["method"] == NO_METHOD;
    each(record, "answer", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        if status != 404 {
            let message = format!("a request for an unknown method is answered with {status}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
            return;
        }
        let body = view.body_bytes();
        let json = read(&String::from_utf8_lossy(&body)).unwrap_or_default();
        if json["error"]["code"] != -32601 {
            let message = format!("the 404 has no error -32601: {}", quoted(&body));
            tally.fault(|| Fault::at(view, 0, message));
        }
    })
}
