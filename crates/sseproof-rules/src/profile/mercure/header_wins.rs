//! The header is newer than the URL.

use super::mistaken;
use super::resume::{has_history, resumed};
use super::traffic::{each, streams, taken, wanted_ids};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/header-wins",
    judge,
    mutants: &[Mutant::new("mercure-query-first", "prefers the id in the query", |visit| {
        mistaken(visit, |request| {
            if wanted_ids(request).1.is_some() {
                request.headers.remove("Last-Event-ID");
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    if !updates.is_empty() && !has_history(record) {
        return Verdict::Skip(
            "the hub sends nothing of what was published before: see mercure/resume".to_owned(),
        );
    }
    let streams = streams(record);
    let mut views = streams.clone();
    views.retain(|view| matches!(wanted_ids(&view.request), (Some(_), Some(_))));
    let none = "no client came with an id in the header and another one in the query";
    each(record, "subscription", none, &views, |view, tally| {
        let id = wanted_ids(&view.request).0.unwrap_or_default();
        let Some(resumed) = resumed(view, &streams, &updates, &id) else { return };
        tally.look();
        if let Some((offset, _)) = resumed.old.first() {
            let message = format!(
                "the header asks for what came behind {id:?}, and an earlier update comes, as the query asks"
            );
            tally.fault(|| Fault::at(view, *offset, message));
        }
    })
}
