//! A page of another origin is admitted at each subscription, not only at the first.

use super::{admits, echoed, own_origin, to_page, to_pages};
use crate::outcome::each_of;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "cors/every-answer",
    judge,
    mutants: &[Mutant::new(
        "cors-first-only",
        "admits another origin only where the client brings no id",
        |visit| {
            to_page(visit, |plan, request| {
                let resumes = request.last_event_id().is_some();
                if resumes { plan } else { echoed(plan, request).with_header("Vary", "Origin") }
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams: Vec<_> = to_pages(record).filter(|(view, _)| view.is_stream()).collect();
    let Some(first) = streams.iter().find(|(view, origin)| admits(view, origin)) else {
        return own_origin(record);
    };
    let number = first.0.number;
    let later = streams.iter().filter(|(view, origin)| view.number > number && *origin == first.1);
    let once = "a page of another origin subscribed only once";
    each_of(later, "later answer", once, |(view, origin)| {
        let resumes = view.request.last_event_id().is_some();
        let how = if resumes { "reconnects with an id" } else { "subscribes again" };
        let message =
            format!("`{origin}` was admitted in exchange {number}, but not when it {how}");
        let fault = Fault::header(view, "access-control-allow-origin", message);
        (!admits(view, origin)).then_some(fault)
    })
}
