//! A stream that the client cancels gives up its place on the connection.

use sseproof_http::{Action, Plan};
use sseproof_record::{Ending, Role};

use super::no_blocking::no_pair;
use super::on_stream;
use crate::delivery::figures::shown;
use crate::outcome::{count, is_hang};
use crate::{Fault, Mutant, Over, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "transport/cancelled-streams",
    judge,
    mutants: &[Mutant::new(
        "h2-keeps-cancelled",
        "counts a cancelled stream as open for as long as its connection lasts",
        |visit| {
            let held = Plan { actions: vec![Action::Hold] };
            on_stream(visit, |plan| if visit.cancelled < 6 { plan } else { held })
        },
    )
    .over(Over::Http2)],
};

fn judge(record: &Record<'_>) -> Verdict {
    let visits: Vec<View<'_>> =
        record.all().filter(|view| view.role == Some(Role::Cancelled)).collect();
    let Some(hung) = visits.iter().position(|view| view.head.is_none()) else {
        return match visits.len() {
            0 => Verdict::Skip(
                no_pair(record, "no stream on a shared connection was cancelled").to_owned(),
            ),
            some => Verdict::Pass(count(some, "cancelled stream")),
        };
    };
    let view = &visits[hung];
    let waited = view.end.at.saturating_sub(view.started);
    let fresh = record.all().find(|other| {
        other.scenario == view.scenario && other.number > view.number && other.role != view.role
    });
    let alone = fresh.and_then(|fresh| Some(fresh.head.as_ref()?.at.saturating_sub(fresh.started)));
    match alone {
        Some(alone)
            if hung > 1 && view.end.how == Ending::Disconnected && is_hang(record, waited) =>
        {
            let message = format!(
                "after {} on this connection the next one gets no response headers within {}; a stream on a new connection gets them after {}",
                count(hung, "cancelled stream"),
                shown(waited),
                shown(alone)
            );
            Verdict::Fail(vec![Fault::whole(view, message)])
        }
        _ => Verdict::Inconclusive(format!(
            "stream {} of {} on one connection got no response headers within {}",
            hung + 1,
            visits.len(),
            shown(waited)
        )),
    }
}
