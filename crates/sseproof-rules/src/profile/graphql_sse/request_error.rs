//! Where nothing was executed there is no data.

use serde_json::Value;

use super::reworded;
use super::traffic::{each, messages};
use super::validation::is_asked;
use crate::profile::json::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/request-error",
    judge,
    mutants: &[Mutant::new(
        "graphql-null-data",
        "sends `data: null` with the errors of an operation that was never executed",
        |visit| {
            reworded(visit, |_, event| {
                if event.get("errors").is_some() {
                    event["data"] = Value::Null;
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no errors of an operation that does not validate were streamed";
    let wanted = |view: &crate::View<'_>| view.is_stream() && is_asked(&view.request);
    each(record, "result", none, wanted, |view, tally| {
        for message in messages(view).iter().filter(|message| message.json.get("errors").is_some())
        {
            tally.look();
            if let Some(data) = message.json.get("data") {
                let wrong = format!(
                    "the operation was not executed, and the result has `data`: {}",
                    shown(data)
                );
                tally.fault(|| Fault::at(view, message.offset, wrong));
            }
        }
    })
}
