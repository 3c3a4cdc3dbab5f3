//! A huge reconnection time does not become a storm of requests.

use std::time::Duration;

use sseproof_codec::Item;

use crate::{Call, Fault, Hooks, Judgement, Mutant, REFERENCE, Rule, State, View};

/// Beyond 31, 32, 53, 63 and 64 bits, a usual one for "never", and twenty digits.
pub(super) const VALUES: [&str; 7] = [
    "2147483648",
    "4294967296",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999",
    "99999999999999999999",
];
/// A client that reconnects so soon does not wait at all.
const AT_ONCE: Duration = Duration::from_millis(200);
/// So many requests one after the other are a storm.
const STORM: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "client/retry-huge",
    cases: &["retry-huge"],
    judge,
    mutants: &[
        Mutant::new(
            "retry-overflows",
            "waits for 1 ms if the reconnection time does not fit 31 bits",
            Hooks { dispatch: |state, item| overflowing(state, item, 1 << 31), ..REFERENCE },
        ),
        Mutant::new(
            "retry-overflows-64",
            "waits for 1 ms if the reconnection time does not fit 63 bits",
            Hooks { dispatch: |state, item| overflowing(state, item, 1 << 63), ..REFERENCE },
        ),
    ],
};

fn overflowing(state: &mut State, item: &Item<'_>, limit: u64) -> Vec<Call> {
    let calls = crate::client::dispatch(state, item);
    if matches!(item, Item::Retry(retry) if retry.millis >= limit) {
        state.retry = Duration::from_millis(1);
    }
    calls
}

/// The value that is announced at this path.
pub(super) fn value(path: &str) -> &'static str {
    let index = path.trim_start_matches('/').parse::<usize>().unwrap_or_default();
    VALUES.get(index).copied().unwrap_or(VALUES[0])
}

fn judge(view: &View<'_>) -> Judgement {
    let mut faults = Vec::new();
    let mut soon = Vec::new();
    for (index, value) in VALUES.iter().enumerate() {
        let path = format!("/{index}");
        let requests = view.requests().into_iter();
        let requests: Vec<_> = requests.filter(|asked| asked.what.request.path() == path).collect();
        let pauses = requests.windows(2).map(|pair| pair[1].at.saturating_sub(pair[0].at));
        let pauses: Vec<_> = pauses.collect();
        let at_once = pauses.iter().filter(|pause| **pause < AT_ONCE).count();
        if let (STORM.., Some(last)) = (at_once, requests.get(STORM)) {
            let message = format!(
                "the client reconnects {} times within {} after `retry: {value}`",
                at_once,
                sseproof_units::duration(pauses.iter().sum())
            );
            faults.push(Fault::at(last.entry, message));
        } else if let Some(pause) = pauses.first() {
            soon.push(format!("{value} after {}", sseproof_units::duration(*pause)));
        }
    }
    let note = if soon.is_empty() {
        "no request came while the case was watched".to_owned()
    } else {
        format!("the client reconnects: {}", soon.join(", "))
    };
    Judgement::of(faults, note)
}
