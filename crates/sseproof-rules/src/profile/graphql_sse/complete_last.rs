//! `complete` says that this was all.

use std::collections::BTreeSet;

use sseproof_codec::AnomalyKind;
use sseproof_record::Ending;

use super::rewritten;
use super::traffic::{Message, each_stream, is_single_stream, messages};
use crate::profile::written::Written;
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/complete-last",
    judge,
    mutants: &[
        Mutant::new(
            "graphql-no-complete",
            "ends the stream of an operation without `complete`",
            |visit| {
                rewritten(visit, |_, event| match event.event.as_deref() {
                    Some("complete") => Vec::new(),
                    _ => vec![event],
                })
            },
        ),
        Mutant::new("graphql-complete-twice", "completes each operation twice", |visit| {
            rewritten(visit, |_, event| {
                let again = event.event.as_deref() == Some("complete");
                vec![event; if again { 2 } else { 1 }]
            })
        }),
        Mutant::new("graphql-next-behind-complete", "sends a result behind `complete`", |visit| {
            let late = r#"{"data":{"__typename":"Query"}}"#;
            rewritten(visit, |_, event| match event.data.as_str() {
                "" => vec![event, Written::named("next", late)],
                _ => vec![event],
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no operation was seen to its end";
    each_stream(record, "operation", none, |view, tally| {
        let messages = messages(view);
        behind_complete(view, &messages, tally);
        let completed = messages.iter().any(|message| message.event == "complete");
        let cut = view.end.how != Ending::Complete || messages.is_empty();
        if !completed && !cut && !is_single_stream(view) && !is_mangled(view) {
            tally.look();
            let message = "the stream ends here, and no `complete` came before";
            tally.fault(|| Fault::at(view, view.body_len(), message));
        }
    })
}

/// Judges what comes behind the end of an operation, of which one connection may carry several.
fn behind_complete(view: &View<'_>, messages: &[Message<'_>], tally: &mut Tally) {
    let mut completed = BTreeSet::new();
    for message in messages.iter().filter(|message| is_known(message)) {
        let id =
            if is_single_stream(view) { message.json["id"].to_string() } else { String::new() };
        if completed.contains(&id) {
            let of = if id.is_empty() { String::new() } else { format!(" of operation {id}") };
            let wrong = format!("a `{}`{of} comes behind its `complete`", message.event);
            tally.fault(|| Fault::at(view, message.offset, wrong));
        } else if message.event == "complete" {
            tally.look();
            completed.insert(id);
        }
    }
}

fn is_known(message: &Message<'_>) -> bool {
    matches!(message.event, "next" | "complete")
}

/// Whether a `complete` is there, but written so that no client sees it, which rules on the format
/// of the stream tell.
fn is_mangled(view: &View<'_>) -> bool {
    let body = view.body_bytes();
    let text = String::from_utf8_lossy(&body);
    text.contains("complete")
        || view.anomalies().any(|anomaly| anomaly.kind == AnomalyKind::UnterminatedBlock)
}
