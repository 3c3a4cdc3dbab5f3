//! The response headers get through the proxy as soon as the server sends them.

use std::time::Duration;

use sseproof_http::{Action, Plan};
use sseproof_record::{Lack, Sample};

use super::sides::{pairs, through, unless_invalid};
use crate::delivery::figures::{shown, time_to_head, waited_in_vain};
use crate::lifecycle::leaving::lacking;
use crate::outcome::Outcome;
use crate::timing::{LATE_HEAD_THROUGH_PROXY, NO_HEAD_THROUGH_PROXY};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

/// A single late response may be a cold start.
const AGAIN: usize = 2;

pub(super) const RULE: Rule = Rule {
    id: "proxy/head-at-once",
    judge: |record| unless_invalid(record, judge(record)),
    mutants: &[
        Mutant::new(
            "proxy-holds-head",
            "is behind a proxy that sends no response headers before it has the whole response",
            |visit| through(visit, |_| Plan { actions: vec![Action::Hold] }),
        ),
        Mutant::new(
            "proxy-late-head",
            "is behind a proxy that delays the response headers by most of a second",
            |visit| through(visit, |plan| plan.after([Action::Wait(Duration::from_millis(900))])),
        ),
    ],
};

fn tries(number: usize) -> String {
    if number == 1 { "1 try".to_owned() } else { format!("{number} tries") }
}

/// Whether a proxy holds the response headers back.
pub(super) fn holds_back(record: &Record<'_>) -> bool {
    matches!(judge(record), Verdict::Fail(_))
}

fn judge(record: &Record<'_>) -> Verdict {
    let asked: Vec<_> = record
        .all()
        .filter(|view| view.via && view.request.method == record.target().method)
        .collect();
    let Some(first) = asked.first() else {
        let why = lacking(record, &[Lack::Via], "nothing was asked through a proxy");
        return Verdict::Skip(why);
    };
    let pairs = pairs(record, Sample::Stream);
    let direct = pairs.iter().filter(|pair| pair.direct.is_stream());
    let Some(direct) = direct.filter_map(|pair| time_to_head(&pair.direct)).max() else {
        return Verdict::Skip("the server itself sent no stream beside it".to_owned());
    };
    if asked.iter().all(|view| view.head.is_none()) {
        return no_head(first, &asked, direct);
    }
    let late: Vec<_> = pairs
        .iter()
        .filter(|pair| pair.direct.is_stream() && pair.through.is_stream())
        .filter_map(|pair| Some((time_to_head(&pair.through)?, pair.through)))
        .collect();
    let Some((took, view)) = late.iter().min_by_key(|(took, _)| *took) else {
        return Verdict::Skip(
            "the response through the proxy is not a stream: see proxy/keeps-musts".to_owned(),
        );
    };
    let figures = format!("{} after the request, directly after {}", shown(*took), shown(direct));
    if took.saturating_sub(direct) < LATE_HEAD_THROUGH_PROXY {
        return Verdict::Pass(format!("the response headers come {figures}"));
    }
    if late.len() < AGAIN {
        return Verdict::Inconclusive(format!("response headers came once, {figures}"));
    }
    let message = format!(
        "the response headers come through the proxy {figures}: the quickest of {}",
        late.len()
    );
    Verdict::Fail(vec![Fault::new(view, Place::StatusLine, message)])
}

/// The verdict if the proxy never sent response headers.
fn no_head(first: &View<'_>, asked: &[View<'_>], direct: Duration) -> Verdict {
    let outcome = Outcome::of(first);
    if matches!(outcome, Outcome::Refused | Outcome::Unreachable) {
        return Verdict::Inconclusive(format!(
            "the proxy does not accept connections ({}): {}; start it, or fix `via`",
            first.request.url,
            outcome.describe()
        ));
    }
    let waits: Vec<_> = asked.iter().filter_map(waited_in_vain).collect();
    let Some(longest) = waits.iter().max().filter(|_| waits.len() == asked.len()) else {
        return Verdict::Skip("the proxy gives no whole answer: see proxy/keeps-musts".to_owned());
    };
    let message = format!(
        "no response headers come through the proxy within {}, in {}; the server itself sends them after {}",
        shown(*longest),
        tries(asked.len()),
        shown(direct)
    );
    if *longest < NO_HEAD_THROUGH_PROXY.max(direct * 4) || asked.len() < AGAIN {
        return Verdict::Inconclusive(message);
    }
    Verdict::Fail(vec![
        Fault::whole(first, message)
            .so("no client behind the proxy gets an open stream: it waits until a buffer is full or the response has ended, which a stream never does"),
    ])
}
