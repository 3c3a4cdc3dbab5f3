//! A matcher that the hub does not have.

use super::mistaken;
use super::traffic::{field, query};
use crate::profile::look;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mercure/matcher-unknown",
    requirement: "mercure/matcher-unknown",
    title: "a subscription with a matcher that the hub does not have is refused with 400",
    why: "A misspelled matcher is otherwise passed over, and the subscriber waits for updates that never come.",
    fix: "Answer `400 Bad Request` where the name of a parameter begins with `match` and is none of yours.",
    recipes: &[],
    judge,
    mutants: &[Mutant {
        id: "mercure-any-matcher",
        wrong: "passes over a matcher that it does not have",
        serve: |visit| {
            mistaken(visit, |request| {
                request.url = request.url.replace("match_sseproof=", "other=");
            })
        },
    }],
};

fn judge(record: &Record<'_>) -> Verdict {
    let asks = |view: &View<'_>| field(query(&view.request), "match_sseproof").is_some();
    let views: Vec<_> = record.all().filter(|view| view.head.is_some() && asks(view)).collect();
    let none = "no subscription with an unknown matcher was asked for";
    look::each(&views, "subscription", none, |view, tally| {
        let status = view.status().unwrap_or_default();
        // Who has to say first who it is learns nothing of the matcher.
        if matches!(status, 401 | 403) {
            return;
        }
        tally.look();
        if status != 400 {
            let message = format!(
                "a subscription with the matcher `match_sseproof` is answered with {status}"
            );
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
