//! A stream does not end without the response.

use sseproof_record::Ending;

use super::rewritten;
use super::traffic::{each_answer, messages, version};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/response-told",
    judge,
    mutants: &[Mutant::new(
        "mcp-no-response",
        "ends the stream of a request behind the progress, without the response",
        |visit| {
            rewritten(visit, |_, event| {
                let is_message = !event.data.is_empty() && !event.data.contains("\"result\"");
                let plain = Written { id: None, ..event };
                if is_message { vec![plain] } else { Vec::new() }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a request was seen to its end";
    // From then on a server may close the connection early, once the client has an id to come back with.
    let may_poll = &*version(record) >= "2025-11-25";
    each_answer(record, "stream", none, |view, tally| {
        if view.end.how != Ending::Complete {
            return;
        }
        let has_id = view.events().any(|(event, _)| event.sets_id);
        if may_poll && has_id {
            return;
        }
        tally.look();
        if !messages(view).iter().any(super::traffic::Message::is_response) {
            let message = "the stream ends here, and the response did not come";
            tally.fault(|| Fault::at(view, view.body_len(), message));
        }
    })
}
