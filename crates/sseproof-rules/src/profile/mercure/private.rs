//! What is private goes to those who may read it.

use super::traffic::{each, is_anonymous, streams, taken, wanted_ids};
use super::{mistaken, without};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/private",
    judge,
    mutants: &[
        Mutant::new("mercure-not-private", "sends private updates to everybody", |visit| {
            without(visit, |name, _| name == "private")
        }),
        Mutant::new("mercure-private-value", "takes `private=0` for public", |visit| {
            without(visit, |name, value| name == "private" && value == "0")
        }),
        Mutant::new(
            "mercure-private-history",
            "sends private updates of the history to everybody",
            |visit| {
                mistaken(visit, |request| {
                    if wanted_ids(request).1.as_deref() == Some("earliest") {
                        request.headers.set("Authorization", super::reference::SUBSCRIBER);
                    }
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    let private: Vec<_> =
        updates.iter().filter(|update| update.field("private").is_some()).collect();
    if private.is_empty() && !updates.is_empty() {
        return Verdict::Skip("no private update was taken".to_owned());
    }
    let mut anonymous = streams(record);
    anonymous.retain(is_anonymous);
    let none = "nobody without a token was given a stream with updates";
    each(record, "event", none, &anonymous, |view, tally| {
        for (event, _) in view.events() {
            tally.look();
            let Some(update) = private.iter().find(|update| update.is_in(&event.data)) else {
                continue;
            };
            let value = update.field("private").unwrap_or_default();
            let how =
                if wanted_ids(&view.request) == (None, None) { "" } else { " from the history" };
            let message =
                format!("somebody without a token gets an update with `private={value}`{how}");
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}
