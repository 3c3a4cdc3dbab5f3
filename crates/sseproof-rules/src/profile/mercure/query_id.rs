//! The id can stand in the query.

use super::mistaken;
use super::resume::{has_history, resumed};
use super::traffic::{ASKED, each, streams, taken, wanted_ids};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/query-id",
    judge,
    mutants: &[Mutant::new(
        "mercure-header-only",
        "looks for the last event id in the header alone",
        |visit| {
            mistaken(visit, |request| {
                for name in ASKED {
                    // What asks for all that there is stays, since it needs no id.
                    if !request.url.contains("=earliest") {
                        request.url = request.url.replace(&format!("{name}="), "other=");
                    }
                }
            })
            .with_told(visit)
        },
    )],
};

trait WithTold {
    fn with_told(self, visit: &sseproof_record::Visit<'_>) -> Self;
}

impl WithTold for sseproof_record::Plan {
    /// Says where the stream goes on all the same.
    fn with_told(self, visit: &sseproof_record::Visit<'_>) -> Self {
        match wanted_ids(visit.request) {
            (None, Some(_)) if visit.request.method == "GET" => {
                self.with_header("Mercure-Last-Event-ID", "earliest")
            }
            _ => self,
        }
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    let updates = taken(record);
    if !updates.is_empty() && !has_history(record) {
        return Verdict::Skip(
            "the hub sends nothing of what was published before: see mercure/resume".to_owned(),
        );
    }
    let streams = streams(record);
    let mut views = streams.clone();
    views.retain(|view| matches!(wanted_ids(&view.request), (None, Some(_))));
    let none = "no client came with the id of an update in the query";
    each(record, "subscription", none, &views, |view, tally| {
        let id = wanted_ids(&view.request).1.unwrap_or_default();
        let Some(resumed) = resumed(view, &streams, &updates, &id) else { return };
        tally.look();
        if resumed.came == 0 && resumed.missing > 0 {
            let message = format!("the query asks for what came behind {id:?}, and nothing comes");
            tally.fault(|| Fault::whole(view, message));
        }
    })
}
