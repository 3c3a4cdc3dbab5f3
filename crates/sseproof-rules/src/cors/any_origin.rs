//! Not every page of the web may read the stream with its user's cookies.

use super::{
    STRANGER, admitted, allows_credentials, echoed, no_origin, own_origin, to_page, to_pages,
};
use crate::outcome::each_once;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "cors/any-origin",
    judge,
    mutants: &[Mutant::new(
        "any-origin-with-credentials",
        "sends back whatever origin asks, and admits its cookies",
        |visit| {
            to_page(visit, |plan, request| {
                echoed(plan, request)
                    .with_header("Access-Control-Allow-Credentials", "true")
                    .with_header("Vary", "Origin")
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let strangers: Vec<_> =
        to_pages(record).filter(|(_, origin)| origin == STRANGER).map(|(view, _)| view).collect();
    if strangers.is_empty() {
        return no_origin(record);
    }
    if strangers.iter().all(|view| admitted(view).is_empty()) {
        return own_origin(record);
    }
    let faults = strangers
        .iter()
        .filter(|view| allows_credentials(view) && admitted(view) == [STRANGER])
        .map(|view| {
            let message =
                format!("`{STRANGER}`, which no list can have, is admitted with credentials");
            Fault::header(view, "access-control-allow-origin", message)
        })
        .collect();
    Verdict::from_faults(each_once(faults), "a strange origin is not admitted with credentials")
}
