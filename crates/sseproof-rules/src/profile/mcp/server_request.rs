//! The server asks nothing on a stream.

use super::rewritten;
use super::traffic::{each_answer, messages};
use crate::profile::json::shown;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/server-request",
    judge,
    mutants: &[Mutant::new(
        "mcp-asks-on-stream",
        "asks the client for a sample on the stream of its request",
        |visit| {
            let ask =
                r#"{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}"#;
            rewritten(visit, |_, event| match event.data.contains("\"progress\":2") {
                true => vec![Written::data(ask), event],
                false => vec![event],
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_answer(record, "message", "no stream carried a message", |view, tally| {
        for message in messages(view) {
            tally.look();
            if message.is_request() {
                let method = shown(&message.json["method"]);
                let wrong = format!("the server sends a request of its own: {method}");
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}
