//! A matcher that the hub does not have.

use super::mistaken;
use super::traffic::{field, query};
use crate::profile::look;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mercure/matcher-unknown",
    judge,
    mutants: &[Mutant::new(
        "mercure-any-matcher",
        "passes over a matcher that it does not have",
        |visit| {
            mistaken(visit, |request| {
                request.url = request.url.replace("match_sseproof=", "other=");
            })
        },
    )],
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
