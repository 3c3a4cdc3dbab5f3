//! A server that ends streams on purpose announces when to reconnect.

use sseproof_codec::AnomalyKind;
use std::time::Duration;

use sseproof_record::{Ending, Reason};

use super::done::says_done;
use crate::delivery::figures::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "retry/announced",
    judge,
    mutants: &[Mutant::new(
        "no-retry",
        "ends its streams and never says when to reconnect",
        |visit| {
            reference::answer(visit)
                .map_writes(|index, bytes| if index == 0 { ": sseproof\n".into() } else { bytes })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let ended = || record.streams().filter(|view| view.end.how == Ending::Complete);
    let Some(without) = ended().next() else {
        return Verdict::Skip("the server ended no stream on purpose".to_owned());
    };
    let ended: Vec<_> = ended().filter(|view| view.first_event().is_some()).collect();
    if ended.is_empty() {
        let number = without.number;
        return Verdict::Skip(format!("exchange {number} ended before it had an event"));
    }
    let recurring: Vec<_> = ended
        .iter()
        // An `EventSource` can only GET: the client of a POST does not reconnect.
        .filter(|view| view.request.method == "GET" && !says_done(view))
        .filter(|view| !stops(record, view))
        .collect();
    if recurring.is_empty() {
        return Verdict::Skip("the streams that ended are over for good".to_owned());
    }
    if let Some(view) = recurring.iter().find(|view| is_misspelt(view)) {
        let exchange = view.number;
        return Verdict::Skip(format!(
            "the retry of exchange {exchange} is not a number, which another rule judges"
        ));
    }
    let silent: Vec<_> =
        recurring.iter().filter(|view| announced(record, view).is_none()).collect();
    match silent.first() {
        None => Verdict::Pass(note(record, &recurring)),
        Some(view) => {
            let others = match silent.len() {
                1 => String::new(),
                count => format!(" (as do {} more)", count - 1),
            };
            let lasted = shown(view.end.at.saturating_sub(view.started));
            let message =
                format!("the server ends the stream after {lasted} without a `retry`{others}");
            Verdict::Fail(vec![Fault::at(view, view.body_len(), message)])
        }
    }
}

/// The reconnection time that holds at the end of the exchange: the last one that it, or what it
/// was resumed from, announced.
fn announced(record: &Record<'_>, view: &View<'_>) -> Option<u64> {
    let own = view.retries().last().map(|(retry, _)| retry.millis);
    own.or_else(|| announced(record, &record.followed(view, Reason::Reconnect)?))
}

fn is_misspelt(view: &View<'_>) -> bool {
    view.anomalies().any(|anomaly| anomaly.kind == AnomalyKind::RetryNotDigits)
}

/// Whether the client that reconnected got 204, which stops it for good.
fn stops(record: &Record<'_>, view: &View<'_>) -> bool {
    record.all().any(|next| {
        record.followed(&next, Reason::Reconnect).is_some_and(|before| before.number == view.number)
            && next.status() == Some(204)
    })
}

/// The announced time, and whether the client that reconnected waited for it.
fn note(record: &Record<'_>, ended: &[&View<'_>]) -> String {
    let millis = ended.iter().find_map(|view| announced(record, view)).unwrap_or_default();
    let back = record.all().find_map(|next| {
        let before = record.followed(&next, Reason::Reconnect)?;
        let ended = ended.iter().any(|view| view.number == before.number);
        ended.then(|| next.started.saturating_sub(before.end.at))
    });
    match back {
        Some(pause) if pause < Duration::from_millis(millis) => {
            format!("retry: {millis} ms; sseproof reconnected sooner, after {}", shown(pause))
        }
        Some(pause) => format!("retry: {millis} ms; the client reconnected after {}", shown(pause)),
        None => format!("retry: {millis} ms"),
    }
}
