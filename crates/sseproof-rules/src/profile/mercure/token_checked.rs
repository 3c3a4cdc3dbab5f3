//! Who publishes has a token that somebody signed.

use super::mistaken;
use super::traffic::{NO_TOKEN, updates};
use crate::profile::look;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mercure/token-checked",
    judge,
    mutants: &[Mutant::new(
        "mercure-any-token",
        "takes any token for that of a publisher",
        |visit| {
            mistaken(visit, |request| {
                if request.headers.has("authorization") && request.method == "POST" {
                    request.headers.set("Authorization", super::reference::PUBLISHER);
                }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let token = |view: &View<'_>| view.request.headers.first("authorization");
    let open = updates(record).any(|update| token(&update.view).is_none() && update.is_taken());
    if open {
        let why = "the hub takes updates of anybody, as it may in a closed network";
        return Verdict::Skip(why.to_owned());
    }
    let forged = updates(record).filter(|update| token(&update.view).as_deref() == Some(NO_TOKEN));
    let views: Vec<_> = forged.map(|update| update.view).collect();
    look::each(&views, "refusal", "no update with a forged token was sent", |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        if !matches!(status, 400..500) {
            let message = format!("an update with a forged token is answered with {status}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
