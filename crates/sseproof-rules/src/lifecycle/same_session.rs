//! A stream does not hold up other requests of the same browser.
//!
//! A browser sends the cookies that it got. A client without them is the control.

use sseproof_http::{Action, Plan};
use sseproof_record::Role;

use crate::delivery::figures::shown;
use crate::timing::NO_ANSWER;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/same-session",
    judge,
    mutants: &[Mutant::new(
        "locks-the-session",
        "answers a request with a cookie only after the stream of its session",
        |visit| {
            if visit.request.headers.has("cookie") && visit.open > 0 {
                return Plan { actions: vec![Action::Hold] };
            }
            let cookie = "sid=1; Path=/; HttpOnly; SameSite=Lax";
            reference::answer(visit).with_header("Set-Cookie", cookie)
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let of = |role| record.all().find(|view| view.role == Some(role));
    let Some(second) = of(Role::SameSession) else {
        let sets = |view: View<'_>| view.head.iter().any(|head| head.headers.has("set-cookie"));
        return Verdict::Skip(match record.all().any(sets) {
            true => "no request was made with a cookie that the server sets".to_owned(),
            false => "the server sets no cookie".to_owned(),
        });
    };
    let first = record.all().find(|view| view.scenario == second.scenario);
    let (Some(first), Some(stranger)) = (first, of(Role::Stranger)) else {
        return Verdict::Inconclusive("no client without the cookie was there".to_owned());
    };
    if !first.is_stream() {
        return Verdict::Inconclusive("no stream of the same session was open".to_owned());
    }
    let until = second.head.as_ref().map_or(second.end.at, |head| head.at).min(first.end.at);
    let waited = until.saturating_sub(second.started);
    if second.head.as_ref().is_some_and(|head| head.at < first.end.at) {
        return Verdict::Pass(format!("response headers after {}", shown(waited)));
    }
    match answered(&stranger) {
        Some(quick) if waited >= NO_ANSWER && quick * 4 <= waited => {
            let later = match &second.head {
                Some(head) => format!(
                    " ({} after it was closed)",
                    shown(head.at.saturating_sub(first.end.at))
                ),
                None => String::new(),
            };
            let message = format!(
                "a request with the cookie that the server set gets no response while a stream with it is open, for {}{later}; the same request without the cookie is answered after {}",
                shown(waited),
                shown(quick)
            );
            Verdict::Fail(vec![Fault::whole(&second, message)])
        }
        _ => Verdict::Inconclusive(format!(
            "a request with the cookie waited {}, but one without it was not answered sooner",
            shown(waited)
        )),
    }
}

fn answered(view: &View<'_>) -> Option<std::time::Duration> {
    Some(view.head.as_ref()?.at.saturating_sub(view.started))
}
