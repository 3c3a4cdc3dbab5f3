//! The stream of a GET carries no response.

use super::rewritten;
use super::traffic::{each, messages};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/get-response",
    judge,
    mutants: &[Mutant::new(
        "mcp-response-on-get",
        "sends responses on the stream that a GET opened",
        |visit| {
            rewritten(visit, |_, event| {
                let response = r#"{"jsonrpc":"2.0","id":11,"result":{}}"#;
                let is_listening = event.data.contains("list_changed");
                if is_listening { vec![event, Written::data(response)] } else { vec![event] }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no GET was answered with a stream";
    let wanted = |view: &crate::View<'_>| {
        view.request.method == "GET" && view.request.last_event_id().is_none() && view.is_stream()
    };
    each(record, "stream", none, wanted, |view, tally| {
        tally.look();
        for message in messages(view).iter().filter(|message| message.is_response()) {
            let id = shown(&message.json["id"]);
            let wrong = format!("the response to request {id} comes on the stream of a GET");
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}
