//! A server that refuses a method lists the supported ones.

use sseproof_record::{Action, Plan, Visit};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn asked(serve: Answer, method: &str) -> Run {
        let mut request = Request::subscribe(URL);
        method.clone_into(&mut request.method);
        Run::against(serve).subscribe().visit(request, Duration::from_secs(1))
    }

    #[test]
    fn a_refusal_names_the_methods() {
        asked(reference::answer, "PROPFIND").passes(&RULE);
        let faults = asked(RULE.mutants[0].serve, "PROPFIND").faults(&RULE);
        assert_eq!(faults[0].message, "PROPFIND is refused with 405 and without `Allow`");
    }

    #[test]
    fn head_is_a_method_too_and_no_method_may_be_left() {
        // As Tornado refuses what a handler does not have.
        let refused = |allow: Option<&'static str>| {
            asked(reference::answer, "HEAD").edit(|last| {
                let head = last.head.as_mut().unwrap();
                head.status = 405;
                if let Some(allow) = allow {
                    head.headers.add("allow", allow);
                }
            })
        };
        refused(None).faults(&RULE);
        refused(Some("GET")).passes(&RULE);
        refused(Some("")).passes(&RULE);
    }

    #[test]
    fn other_refusals_need_none() {
        asked(|visit| reference::answer(visit).with_status(501), "PROPFIND").skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }
}
