//! A client waits longer after each failure, and no longer after a success.

use std::time::Duration;

use crate::{Fault, Hooks, Judgement, Loss, Mutant, REFERENCE, Rule, View};

/// How many connections there are: fewer than a browser opens to a server.
pub(super) const CLIENTS: usize = 5;
/// How many requests in a row fail, and the number of the request after them, from 0.
pub(super) const FAILURES: u64 = 6;
pub(super) const SUCCESS: u64 = FAILURES + 1;
/// An HTTP library may repeat a request by itself, and sooner than any client reconnects: again and
/// again without an error for the client, or once.
const REPEATED: Duration = Duration::from_millis(25);

pub(super) const RULE: Rule = Rule {
    id: "client/reconnect-backoff",
    cases: &["failures"],
    judge,
    mutants: &[
        Mutant::new(
            "never-backs-off",
            "waits for the same time after each failure",
            Hooks { lost: |state, _| crate::client::lost(state, &Loss::End), ..REFERENCE },
        ),
        Mutant::new(
            "stays-slow",
            "waits as long after a success as after the failures before it",
            Hooks {
                lost: |state, _| {
                    let wait = crate::client::lost(state, &Loss::End)?;
                    Some(wait * (1 << state.errors.min(5)))
                },
                ..REFERENCE
            },
        ),
    ],
};

fn judge(view: &View<'_>) -> Judgement {
    let series: Vec<_> = view.connections().iter().map(|(_, one)| Series::of(one)).collect();
    let failed = series.iter().map(|one| &one.failed[..]);
    let medians = medians(&failed.collect::<Vec<_>>());
    let [first, .., third, last] = medians[..] else {
        return Judgement::Unclear(format!(
            "the client reconnected after {} of {FAILURES} failures in a row",
            medians.len()
        ));
    };
    let shown: Vec<_> = medians.iter().map(|wait| sseproof_units::duration(*wait)).collect();
    let shown = format!("{} (medians of {CLIENTS} connections)", shown.join(", "));
    let entry = |number: usize| {
        let last = series.iter().filter_map(|one| one.entries.get(number).or(one.entries.last()));
        last.max().copied()
    };
    let longest = third.max(last);
    if longest < first + first / 2 {
        let message = format!("the waits of the client do not grow with failures: {shown}");
        return Fault { entry: entry(FAILURES as usize), ..Fault::missing(message) }.into();
    }
    let note = format!("waits after failures: {shown}");
    let after: Vec<_> = series.iter().filter_map(|one| one.after_success).collect();
    let Some(after) = median(after) else { return Judgement::held(note) };
    // Short waits are mostly the time that a connection takes.
    if after > (longest / 2).max(Duration::from_millis(200)) {
        let after = sseproof_units::duration(after);
        let message = format!("the client waits for {after} after a stream that worked; {note}");
        return Fault { entry: entry(SUCCESS as usize + 1), ..Fault::missing(message) }.into();
    }
    Judgement::held(note)
}

/// The waits of one connection.
struct Series {
    /// After each failure in a row.
    failed: Vec<Duration>,
    after_success: Option<Duration>,
    /// The entries of its requests.
    entries: Vec<usize>,
}

impl Series {
    fn of(view: &View<'_>) -> Self {
        let (requests, errors) = (view.requests(), view.errors());
        let wait = |number: usize| {
            let end = view.end(requests.get(number)?.what.number)?;
            Some(requests.get(number + 1)?.at.saturating_sub(end.at))
        };
        let mut failed = Vec::new();
        let mut is_repeated = false;
        let is_silent = |number: usize| {
            let (before, after) = (requests[number].entry, requests[number + 1].entry);
            !errors.iter().any(|error| (before..after).contains(&error.entry))
        };
        for (number, pause) in (1..=FAILURES as usize).map_while(|one| Some((one, wait(one)?))) {
            let again = if errors.is_empty() { !is_repeated } else { is_silent(number) };
            is_repeated = pause < REPEATED && again;
            if !is_repeated {
                failed.push(pause);
            }
        }
        let after_success = wait(SUCCESS as usize);
        let entries = requests.iter().map(|asked| asked.entry).collect();
        Self { failed, after_success, entries }
    }
}

/// The median of the first waits, of the second ones and so on, as long as most connections have one.
fn medians(series: &[&[Duration]]) -> Vec<Duration> {
    let nth = |index: usize| {
        let waits: Vec<_> = series.iter().filter_map(|waits| waits.get(index).copied()).collect();
        (waits.len() * 2 > series.len()).then(|| median(waits)).flatten()
    };
    (0..).map_while(nth).collect()
}

fn median(mut waits: Vec<Duration>) -> Option<Duration> {
    waits.sort();
    waits.get(waits.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_needs_most_connections() {
        let millis = |waits: &[u64]| -> Vec<_> {
            waits.iter().map(|wait| Duration::from_millis(*wait)).collect()
        };
        let (one, two, three) = (millis(&[50, 100]), millis(&[70, 90, 200]), millis(&[60]));
        assert_eq!(medians(&[&one, &two, &three]), millis(&[60, 100]));
        assert_eq!(medians(&[]), []);
    }
}
