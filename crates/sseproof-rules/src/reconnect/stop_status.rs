//! No status stops a new subscriber for good by accident.

use sseproof_http::Plan;
use sseproof_record::Reason;

use super::none;
use crate::outcome::{Coming, Outcome, coming, count, each_once};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "reconnect/stop-status",
    judge,
    mutants: &[Mutant::new(
        "one-subscriber-only",
        "turns a second subscriber away while the first is there",
        |visit| {
            let subscribes = visit.request.headers.list("accept") == ["text/event-stream"]
                && visit.request.method == "GET"
                && !visit.request.headers.has("last-event-id");
            if subscribes && visit.open > 0 {
                return Plan::answer(409, "text/plain", "another client is subscribed already\n");
            }
            reference::answer(visit)
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut good = 0;
    let mut other = None;
    for view in record.subscriptions() {
        let Coming::Anew = coming(record, &view) else { continue };
        let outcome = Outcome::of(&view);
        let message =
            || format!("a later subscriber gets {}{}", outcome.describe(), beside(record, &view));
        match &outcome {
            Outcome::Stream => good += 1,
            Outcome::Status(_) => faults
                .push(Fault::new(&view, Place::StatusLine, message()).so(outcome.consequence())),
            // A missing response stops no client for good.
            _ => other = Some((view.number, outcome)),
        }
    }
    if good == 0 && faults.is_empty() {
        return Verdict::Skip(none(other, "no client subscribed a second time"));
    }
    Verdict::from_faults(each_once(faults), count(good, "later subscriber"))
}

fn beside(record: &Record<'_>, view: &View<'_>) -> &'static str {
    let redirected = |other: &View<'_>| {
        record.followed(view, Reason::Redirect).is_some_and(|from| from.number == other.number)
    };
    let open = record
        .judged()
        .any(|other| other.number != view.number && other.overlaps(view) && !redirected(&other));
    if open { " while another stream is open" } else { "" }
}
