//! What is published arrives, with its type and all of its lines.

use super::rewritten;
use super::traffic::{each_taken, is_on, streams};
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/delivered",
    judge,
    mutants: &[
        Mutant::new("mercure-no-type", "drops the type of an update", |visit| {
            rewritten(visit, |_, event| vec![Written { event: None, ..event }])
        }),
        Mutant::new("mercure-first-line", "sends the first line of an update alone", |visit| {
            rewritten(visit, |_, mut event| {
                event.data = event.data.lines().next().unwrap_or_default().to_owned();
                vec![event]
            })
        }),
        Mutant::new(
            "mercure-lost-update",
            "takes updates without a type and sends them to nobody",
            |visit| {
                rewritten(
                    visit,
                    |_, event| {
                        if event.event.is_some() { vec![event] } else { Vec::new() }
                    },
                )
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "update", |update, tally| {
        let topic = update.field("topic").unwrap_or_default();
        let sent = update.view.started;
        // Private updates come to those alone who may read them.
        let listens = |view: &&crate::View<'_>| {
            is_on(view, &topic) && view.started < sent && sent < view.end.at
        };
        let mut open = streams.iter().filter(listens).peekable();
        if update.field("private").is_some() || open.peek().is_none() {
            return;
        }
        tally.look();
        let mut seen = open.flat_map(|view| view.events().map(move |(event, _)| (view, event)));
        let Some((view, event)) = seen.find(|(_, event)| update.is_in(&event.data)) else {
            let message = "an update was taken, and no subscriber of its topic got it";
            tally.fault(|| Fault::whole(&update.view, message));
            return;
        };
        let kind = update.field("type").unwrap_or_else(|| "message".to_owned());
        let wrong = if event.event_type != kind {
            format!("the update has the type `{kind}`, and its event `{}`", event.event_type)
        } else if event.data != update.text() {
            format!("the update arrives as {}", quoted(event.data.as_bytes()))
        } else {
            return;
        };
        tally.fault(|| Fault::at(view, event.span.start, wrong));
    })
}
