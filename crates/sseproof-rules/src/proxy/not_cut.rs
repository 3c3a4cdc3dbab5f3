//! The proxy keeps a stream open for as long as the server does.

use std::time::Duration;

use sseproof_http::Action;
use sseproof_record::Ending;

use super::sides::{all_pairs, on_streams, outlasts, through, was_open};
use crate::delivery::figures::shown;
use crate::delivery::heartbeat::longest_gap;
use crate::delivery::sendings::restarts;
use crate::timing::{CUT_BY_ANOTHER, OUTLIVED, PROXY_IDLE_TIMEOUT, QUIET_BEFORE_CUT};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/not-cut",
    judge: |record| on_streams(record, judge),
    mutants: &[
        Mutant::new(
            "proxy-cuts-idle",
            "is behind a proxy that cuts a connection on which nothing came for 30 s",
            |visit| match (visit.request.method.as_str(), visit.request.path()) {
                ("GET", "/via/published") => {
                    let cut = [Action::Wait(Duration::from_secs(30)), Action::Close];
                    let mut plan = reference::answer(visit);
                    plan.actions.retain(|action| !matches!(action, Action::Follow { .. }));
                    plan.actions.extend(cut);
                    plan
                }
                _ => reference::answer(visit),
            },
        ),
        Mutant::new(
            "proxy-cuts-flow",
            "is behind a proxy that gives no response as long as a second",
            |visit| through(visit, |plan| plan.cut(15, [Action::Close])),
        ),
    ],
};

/// Whether a proxy was seen that cuts streams.
pub(super) fn cuts(record: &Record<'_>) -> bool {
    matches!(judge(record), Verdict::Fail(_))
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut longest: Option<Duration> = None;
    for pair in all_pairs(record) {
        if !pair.direct.is_stream()
            || !pair.through.is_stream()
            || restarts(record, &pair.through.scenario)
        {
            continue;
        }
        if was_open(&pair.through) {
            longest = longest.max(Some(longest_silence(&pair.through)));
        }
        let cut = pair.through.ended_by_server() && !is_replaced(record, &pair.through);
        if cut && outlasts(&pair.direct, &pair.through) >= OUTLIVED {
            faults.push(fault(&pair.through, &pair.direct));
        }
    }
    if !faults.is_empty() {
        // The longest-lived one shows best after how long it is.
        faults.sort_by_key(|(lasted, _)| std::cmp::Reverse(*lasted));
        return Verdict::Fail(faults.into_iter().map(|(_, fault)| fault).take(2).collect());
    }
    match longest {
        Some(silence) if silence >= PROXY_IDLE_TIMEOUT => {
            Verdict::Pass(format!("still open after {} of silence", shown(silence)))
        }
        longest => {
            let waited = record.all().any(|view| view.scenario == "via-idle");
            let why = match longest.filter(|_| waited) {
                Some(longest) => format!("bytes came at least every {}", shown(longest)),
                None if waited => {
                    "none was open on both sides until its client disconnected".to_owned()
                }
                None => "run with --idle".to_owned(),
            };
            Verdict::Skip(format!(
                "no stream through the proxy was quiet for {}: {why}",
                shown(PROXY_IDLE_TIMEOUT)
            ))
        }
    }
}

/// Whether it ended as another client came: then the server may allow each user one stream.
fn is_replaced(record: &Record<'_>, view: &View<'_>) -> bool {
    let as_it_came = |other: &View<'_>| {
        view.end.at.checked_sub(other.started).is_some_and(|since| since <= CUT_BY_ANOTHER)
    };
    record.all().any(|other| other.number > view.number && as_it_came(&other))
}

fn fault(through: &View<'_>, direct: &View<'_>) -> (Duration, Fault) {
    let how = match through.end.how {
        Ending::Complete => "ends",
        _ => "is cut",
    };
    let last = last_byte(through);
    let quiet = through.end.at.saturating_sub(last);
    let lasted = through.lasted();
    let after = if quiet >= QUIET_BEFORE_CUT {
        format!("after {} of silence", shown(quiet))
    } else {
        format!("{} after its request, in the midst of what comes", shown(lasted))
    };
    let message = format!(
        "the stream through the proxy {how} {after}; that of the server itself {} {}",
        if was_open(direct) { "is still open after" } else { "goes on for" },
        shown(direct.lasted())
    );
    (lasted, Fault::at(through, through.body_len(), message))
}

fn last_byte(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    bytes(view).max().unwrap_or(head)
}

fn bytes(view: &View<'_>) -> impl Iterator<Item = Duration> {
    view.body.iter().filter(|chunk| !chunk.bytes.is_empty()).map(|chunk| chunk.at)
}

/// The longest time for which nothing came.
fn longest_silence(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    longest_gap(head, bytes(view), view.end.at).length
}
