//! `retry` fits the timers of clients.

use super::slip_in;
use super::tally::each_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/retry-ceiling",
    judge,
    mutants: &[Mutant::new("retry-never", "announces a time that overflows 32 bits", |visit| {
        slip_in(visit, b"retry: 9999999999\n\n")
    })],
};

/// The longest time, in milliseconds: 2^31 - 1.
const MOST: u64 = 2_147_483_647;

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "retry field", |view, tally| {
        for (retry, _) in view.retries() {
            tally.look();
            if retry.millis > MOST {
                tally.fault(|| {
                    let shown = match retry.millis {
                        u64::MAX => "more than 64 bits can hold".to_owned(),
                        millis => format!("{millis} ms"),
                    };
                    let message = format!("clients are to reconnect after {shown}");
                    Fault::at(view, retry.span.start, message)
                });
            }
        }
    })
}
