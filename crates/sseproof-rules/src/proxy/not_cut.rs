//! The proxy keeps a stream open for as long as the server does.

use std::time::Duration;

use sseproof_record::{Action, Ending};

use super::sides::{all_pairs, no_stream, outlasts, restarts, through, was_open};
use crate::delivery::figures::shown;
use crate::timing::{CUT_BY_ANOTHER, OUTLIVED, PROXY_IDLE_TIMEOUT, QUIET_BEFORE_CUT};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "proxy/not-cut",
    judge,
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
    if let Some(verdict) = no_stream(record) {
        return verdict;
    }
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
        _ => Verdict::Skip(format!(
            "no stream through the proxy was quiet for {}: run with --idle",
            shown(PROXY_IDLE_TIMEOUT)
        )),
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
    view.body
        .iter()
        .filter(|chunk| !chunk.bytes.is_empty())
        .map(|chunk| chunk.at)
        .max()
        .unwrap_or(head)
}

/// The longest time for which nothing came.
fn longest_silence(view: &View<'_>) -> Duration {
    let head = view.head.as_ref().map_or(view.started, |head| head.at);
    let bytes = view.body.iter().filter(|chunk| !chunk.bytes.is_empty()).map(|chunk| chunk.at);
    let times: Vec<_> = std::iter::once(head).chain(bytes).chain([view.end.at]).collect();
    times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::testing::{beside, events};
    use crate::testing::Run;
    use sseproof_record::{Chunk, Exchange};

    /// Both sides, quiet for that many seconds, and how the one through the proxy ended.
    fn quiet(through: u64, how: Ending, direct: u64) -> Run {
        let stay = |exchange: &mut Exchange, seconds: u64, how: Ending| {
            exchange.end.at = exchange.started + Duration::from_secs(seconds);
            exchange.end.how = how;
        };
        events(&[(10, "a")], &[(10, "a")])
            .edit_at(1, |exchange| stay(exchange, through, how))
            .edit_at(2, |exchange| stay(exchange, direct, Ending::Left))
    }

    #[test]
    fn a_cut_says_how_long_it_was_quiet_before() {
        let faults = quiet(60, Ending::Truncated, 63).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "the stream through the proxy is cut after 60.0 s of silence; that of the server itself is still open after 63 s"
        );
        let faults = quiet(60, Ending::Complete, 63).faults(&RULE);
        assert!(faults[0].message.contains("proxy ends after 60.0 s"), "{faults:?}");
    }

    #[test]
    fn a_long_silence_passes_and_a_short_one_says_nothing() {
        quiet(75, Ending::Left, 75).passes(&RULE);
        quiet(10, Ending::Left, 10).skips(&RULE);
    }

    #[test]
    fn where_the_servers_own_stream_ends_it_is_not_the_proxy() {
        quiet(60, Ending::Complete, 60).skips(&RULE);
        // A later client replaced it.
        let replaced = quiet(60, Ending::Complete, 63)
            .edit_at(2, |direct| direct.started = Duration::from_millis(60_950));
        replaced.skips(&RULE);
    }

    #[test]
    fn a_cut_in_the_midst_of_events_is_one_too() {
        let flows = |exchange: &mut Exchange| {
            let begun = exchange.started;
            exchange.body.extend(
                (1..30).map(|n| Chunk { at: begun + Duration::from_secs(n), bytes: ":\n".into() }),
            );
        };
        let run = quiet(30, Ending::Reset, 40).edit_at(1, flows);
        let faults = run.faults(&RULE);
        assert!(faults[0].message.contains("30 s after its request, in the midst"), "{faults:?}");
        let run = beside(RULE.mutants[1].serve, Duration::from_secs(3));
        let message = &run.faults(&RULE)[0].message;
        assert!(message.ends_with("goes on for 2.00 s"), "{message}");
    }
}
