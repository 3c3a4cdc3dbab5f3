//! The response comes last.

use std::time::Duration;

use sseproof_record::{Action, Ending, Plan};

use super::traffic::{Message, asked, each_answer, messages};
use super::{reference, rewritten};
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

/// A stream that is open for less than this behind the response may just be ending.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) const RULE: Rule = Rule {
    id: "mcp/response-last",
    judge,
    mutants: &[
        Mutant::new("mcp-response-twice", "sends the response twice", |visit| {
            rewritten(visit, |_, event| {
                let again = Written { id: None, ..event.clone() };
                if event.data.contains("\"result\"") { vec![event, again] } else { vec![event] }
            })
        }),
        Mutant::new(
            "mcp-progress-behind-response",
            "sends a notification behind the response",
            |visit| {
                let late = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"done"}}"#;
                rewritten(visit, |_, event| match event.data.contains("\"result\"") {
                    true => vec![event, Written::data(late)],
                    false => vec![event],
                })
            },
        ),
        Mutant::new("mcp-stays-open", "leaves the stream open behind the response", |visit| {
            let plan = reference::answer(visit);
            let is_stream = plan.actions.iter().any(|action| matches!(action, Action::Wait(_)));
            let open = |action| match action {
                Action::Finish if is_stream => Action::Hold,
                action => action,
            };
            Plan { actions: plan.actions.into_iter().map(open).collect() }
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_answer(record, "response", "no stream carried a response", |view, tally| {
        let messages = messages(view);
        // One with another id is judged as such: see `mcp/foreign-response`.
        let id = &asked(view)["id"];
        let is_own = |message: &Message<'_>| message.is_response() && message.json["id"] == *id;
        let Some(first) = messages.iter().position(is_own) else { return };
        tally.look();
        if let Some(late) = messages.get(first + 1) {
            // A batch stands in one event, in any order.
            if late.offset != messages[first].offset {
                let what = if late.is_response() { "a second response" } else { "a message" };
                let message = format!("{what} comes behind the response");
                tally.fault(|| Fault::at(view, late.offset, message));
            }
            return;
        }
        let came = view.arrival(messages[first].offset);
        let open = view.end.at.saturating_sub(came);
        if view.end.how == Ending::Left && open >= PATIENCE {
            let message =
                format!("the stream is still open {} s behind the response", open.as_secs());
            tally.fault(|| Fault::at(view, messages[first].offset, message));
        }
    })
}
