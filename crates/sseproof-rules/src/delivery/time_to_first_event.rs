//! A new subscriber soon gets a first event.

use std::time::Duration;

use sseproof_http::Action;
use sseproof_record::Reason;

use super::figures::{Spread, shown};
use crate::retry::done::says_done;
use crate::timing::TOO_LATE;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

/// How many times as long as the usual gap between events the first one must take to stand out.
const STANDS_OUT: u32 = 10;

pub(super) const RULE: Rule = Rule {
    id: "delivery/time-to-first-event",
    judge,
    mutants: &[Mutant::new(
        "late-first-event",
        "opens a new stream at once, then lets it wait for two seconds and more",
        |visit| {
            let mut plan = reference::answer(visit);
            if visit.request.last_event_id().is_none() && visit.request.method == "GET" {
                // After the headers, the greeting and its flush.
                let place = plan.actions.len().min(3);
                plan.actions.insert(place, Action::Wait(Duration::from_millis(2_300)));
            }
            plan
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let fresh: Vec<_> = record
        .subscriptions()
        .filter(|view| view.is_stream() && !view.is_compressed())
        .filter(|view| view.request.last_event_id().is_none())
        .filter(|view| record.followed(view, Reason::Redirect).is_none())
        .collect();
    // The times of events that this run published say nothing about the server.
    let opened = fresh.len();
    let is_own = |view: &View<'_>| match view.events().next() {
        Some((event, _)) => !view.published.iter().any(|one| event.data.contains(&one.data)),
        None => view.published.is_empty(),
    };
    let fresh: Vec<_> = fresh.into_iter().filter(is_own).collect();
    if fresh.is_empty() && opened > 0 {
        let why = "the stream was silent until this run published to it";
        return Verdict::Skip(why.to_owned());
    }
    let Some(spread) = Spread::of(fresh.iter().filter_map(time_to_first_event)) else {
        return match fresh.iter().map(|view| view.lasted()).max() {
            Some(longest) => {
                Verdict::Inconclusive(format!("no event came within {}", shown(longest)))
            }
            None => Verdict::Skip("no new subscription was answered by a stream".to_owned()),
        };
    };
    let pass = Verdict::Pass(format!("first event after the response headers: {spread}"));
    // A short time in one exchange, or a gap as long between two later events, shows that the
    // events of this stream are rare.
    let pauses = fresh.iter().flat_map(gaps).filter(|gap| *gap * 4 > spread.min).count();
    if spread.min <= TOO_LATE || spread.count < 2 || pauses > 0 {
        return pass;
    }
    // An answer that is computed and then ends takes the time that it takes.
    if fresh.iter().any(says_done) {
        return pass;
    }
    match Spread::of(fresh.iter().flat_map(gaps)) {
        Some(pace) if pace.median * STANDS_OUT < spread.min => {
            let message = format!(
                "the first event comes late, {spread} after the response headers; then one comes every {}",
                shown(pace.median)
            );
            let first = fresh.iter().find_map(|view| Some((view, view.events().next()?.0)));
            let faults = first.map(|(view, event)| Fault::at(view, event.span.start, message));
            Verdict::from_faults(faults.into_iter().collect(), String::new())
        }
        _ => pass,
    }
}

fn time_to_first_event(view: &View<'_>) -> Option<Duration> {
    // `delivery/time-to-head` judges the time of the headers themselves.
    let head = view.head.as_ref()?.at;
    view.first_event().map(|at| at.saturating_sub(head))
}

fn gaps(view: &View<'_>) -> Vec<Duration> {
    let times: Vec<_> = view.events().map(|(_, at)| at).collect();
    times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
}
