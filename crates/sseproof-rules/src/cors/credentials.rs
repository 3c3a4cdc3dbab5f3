//! The star does not stand with credentials.

use super::{admitted, allows_credentials, no_origin, own_origin, to_page, to_pages};
use crate::outcome::{count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "cors/credentials",
    judge,
    mutants: &[Mutant::new(
        "star-with-credentials",
        "admits every origin by a star, and credentials too",
        |visit| {
            to_page(visit, |plan, _| {
                plan.with_header("Access-Control-Allow-Origin", "*")
                    .with_header("Access-Control-Allow-Credentials", "true")
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut asked = 0;
    let mut admitting = 0;
    let mut faults = Vec::new();
    for (view, _) in to_pages(record) {
        asked += 1;
        let origins = admitted(&view);
        admitting += usize::from(!origins.is_empty());
        if allows_credentials(&view) && origins.iter().any(|origin| origin == "*") {
            let message = "`Access-Control-Allow-Credentials: true` stands with the star";
            faults.push(Fault::header(&view, "access-control-allow-origin", message));
        }
    }
    match (asked, admitting) {
        (0, _) => no_origin(record),
        (_, 0) => own_origin(record),
        _ => Verdict::from_faults(each_once(faults), count(admitting, "answer")),
    }
}
