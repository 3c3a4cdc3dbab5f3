//! A notification is taken with 202 and nothing else.

use sseproof_record::Plan;

use super::traffic::{asked, each};
use super::{reference, says};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/notification",
    judge,
    mutants: &[
        Mutant::new("mcp-notification-200", "answers a notification with 200", |visit| {
            let plan = reference::answer(visit);
            if super::status(&plan) == 202 { plan.with_status(200) } else { plan }
        }),
        Mutant::new(
            "mcp-notification-body",
            "answers a notification with 202 and a body",
            |visit| {
                let plan = reference::answer(visit);
                if says(visit, "notifications/initialized") && super::status(&plan) == 202 {
                    return Plan::answer(202, "application/json", "{\"status\":\"accepted\"}");
                }
                plan
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let wanted = |view: &crate::View<'_>| {
        let asked = asked(view);
        view.request.method == "POST" && asked["method"].is_string() && asked.get("id").is_none()
    };
    each(record, "notification", "no notification was sent", wanted, |view, tally| {
        tally.look();
        match view.status().unwrap_or_default() {
            400.. => {}
            202 if view.body_len() == 0 => {}
            202 => {
                let body = crate::stream::quoted(&view.body_bytes());
                let message = format!("the 202 for a notification has a body: {body}");
                tally.fault(|| Fault::at(view, 0, message));
            }
            status => {
                let message = format!("a notification is answered with {status}, and not with 202");
                tally.fault(|| Fault::new(view, Place::StatusLine, message));
            }
        }
    })
}
