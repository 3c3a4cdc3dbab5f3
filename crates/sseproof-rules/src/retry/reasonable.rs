//! The announced reconnection time is one that a client can live with.

use std::time::Duration;

use crate::delivery::figures::shown;
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::counted;

/// Below this a client hardly waits at all, and the number looks like seconds.
const SHORTEST: u64 = 50;
/// Above this no user waits for the stream any more.
const LONGEST: u64 = 60 * 60 * 1000;
/// Above this, timers overflow and fire at once, which is the fault that `stream/retry-ceiling` names.
const TIMER: u64 = 2_147_483_647;

pub(super) const RULE: Rule = Rule {
    id: "retry/reasonable",
    judge,
    mutants: &[Mutant::new("retry-zero", "lets its clients reconnect without a pause", |visit| {
        let hello = ": sseproof\nretry: 0\n\n";
        reference::answer(visit)
            .map_writes(|index, bytes| if index == 0 { hello.into() } else { bytes })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut values = Vec::new();
    for view in record.streams() {
        for (retry, _) in view.retries() {
            if values.contains(&retry.millis) {
                continue;
            }
            values.push(retry.millis);
            let millis = retry.millis;
            let message = match millis {
                0 => "retry: 0 makes clients reconnect without a pause".to_owned(),
                1..SHORTEST => format!(
                    "retry: {millis} is {millis} milliseconds: seconds would be `retry: {millis}000`"
                ),
                LONGEST..=TIMER => {
                    format!(
                        "retry: {millis} makes clients wait for {}",
                        counted(millis / LONGEST, "hour")
                    )
                }
                _ => continue,
            };
            faults.push(Fault::at(&view, retry.span.start, message));
        }
    }
    if values.is_empty() {
        return Verdict::Skip("no stream announced a reconnection time".to_owned());
    }
    let shown: Vec<_> =
        values.into_iter().map(|millis| shown(Duration::from_millis(millis))).collect();
    Verdict::from_faults(faults, format!("retry of {}", shown.join(", ")))
}
