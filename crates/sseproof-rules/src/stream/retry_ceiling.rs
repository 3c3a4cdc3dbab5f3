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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn a_longer_time_is_named() {
        let faults = body(b"data: a\nretry: 2147483648\n\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(8));
        assert_eq!(faults[0].message, "clients are to reconnect after 2147483648 ms");
        let faults = body(b"retry: 99999999999999999999999\n\n").faults(&RULE);
        assert_eq!(faults[0].message, "clients are to reconnect after more than 64 bits can hold");
    }

    #[test]
    fn the_longest_time_is_fine() {
        body(b"retry: 2147483647\n\n").passes(&RULE);
    }

    #[test]
    fn what_is_no_number_is_judged_elsewhere() {
        body(b"retry: soon\n\n").skips(&RULE);
    }
}
