//! A server that refuses a method lists the supported ones.

use sseproof_http::{Action, Plan, Visit};

use crate::outcome::each_of;
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
    let refusals = record.judged().filter(|view| view.status() == Some(405));
    each_of(refusals, "refusal", "no method was refused with 405", |view| {
        // An empty one is right, too: then there is no method at all.
        let has = view.head.as_ref().is_some_and(|head| head.headers.has("allow"));
        let method = &view.request.method;
        let message = || format!("{method} is refused with 405 and without `Allow`");
        (!has).then(|| Fault::header(view, "allow", message()))
    })
}
