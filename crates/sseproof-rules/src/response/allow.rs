//! A server that refuses a method lists the supported ones.

use sseproof_http::{Action, Plan, Visit};

use crate::outcome::{count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "response/allow",
    judge,
    mutants: &[Mutant::new(
        "nothing-allowed",
        "refuses other methods with 405 and does not say which there are",
        |visit| without_allow(visit, reference::answer(visit)),
    )],
};

fn without_allow(visit: &Visit<'_>, mut plan: Plan) -> Plan {
    if visit.request.method == "PROPFIND" {
        for action in &mut plan.actions {
            if let Action::Head { headers, .. } = action {
                headers.0.retain(|header| !header.name.eq_ignore_ascii_case("allow"));
            }
        }
    }
    plan
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut refused = 0;
    let mut faults = Vec::new();
    for view in record.judged() {
        let Some(head) = view.head.as_ref().filter(|head| head.status == 405) else { continue };
        refused += 1;
        // An empty one is right, too: then there is no method at all.
        if !head.headers.has("allow") {
            let message =
                format!("{} is refused with 405 and without `Allow`", view.request.method);
            faults.push(Fault::header(&view, "allow", message));
        }
    }
    match refused {
        0 => Verdict::Skip("no method was refused with 405".to_owned()),
        _ => Verdict::from_faults(each_once(faults), count(refused, "refusal")),
    }
}
