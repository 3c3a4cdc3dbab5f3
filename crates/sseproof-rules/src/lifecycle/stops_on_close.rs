//! The server releases a client that closes the connection.

use super::leaving::{self, is_simple, outliving, was_quiet, was_reset};
use crate::{Mutant, Record, Rule, Verdict, reference};
use sseproof_record::Departure;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/stops-on-close",
    judge,
    mutants: &[Mutant::new(
        "deaf-to-close",
        "goes on for clients that have closed the connection",
        |visit| match visit.request.path() {
            "/events" if visit.request.method == "GET" => {
                outliving(visit, Some(Departure::Closing))
            }
            _ => reference::answer(visit),
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    leaving::judge(
        record,
        "no client closed the connection of a stream between two readings",
        |view| is_simple(view) && !was_quiet(view) && !was_reset(record, view),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lifecycle::leaving::testing::{left, seconds};

    #[test]
    fn a_producer_that_goes_on_is_a_fault() {
        let faults = left(&[0, 1, 1], seconds(10)).faults(&RULE);
        assert_eq!(faults[0].exchange, 1);
        assert_eq!(
            faults[0].message,
            "10 s after the client disconnected, there are still 1 producers: 0 before it came, 1 with it"
        );
    }

    #[test]
    fn a_producer_that_ends_passes() {
        left(&[3, 4, 3], seconds(0)).passes(&RULE);
        left(&[3, 4, 2], seconds(9)).passes(&RULE);
    }

    #[test]
    fn what_goes_up_and_down_by_itself_is_no_producer() {
        use sseproof_record::{Gauge, RunEventKind};
        let memory = |what: &mut RunEventKind| {
            if let RunEventKind::Reading(reading) = what {
                reading.gauge = Gauge::Memory;
            }
        };
        left(&[0, 1, 1], seconds(10)).edit_run_events(memory).skips(&RULE);
    }

    #[test]
    fn connections_do_not_stand_for_producers_that_cannot_be_counted() {
        use sseproof_record::{Gauge, Reading, RunEventKind};
        let connections = |what: &mut RunEventKind| {
            if let RunEventKind::Reading(reading) = what {
                reading.gauge = Gauge::Connections;
            }
        };
        let read = |value: Result<u64, String>| {
            let reading = Reading { gauge: Gauge::Active, value, against: None };
            let run = left(&[0, 1, 0], seconds(0)).edit_run_events(connections);
            run.happened("after", RunEventKind::Reading(reading))
        };
        let broken = read(Err("GET /active: nothing stands at /open of {}".to_owned()));
        let Verdict::Inconclusive(why) = broken.judge(&RULE) else { panic!("it decides") };
        assert!(
            why.starts_with("the number of producers cannot be read: GET /active: nothing"),
            "{why}"
        );
        read(Ok(3)).passes(&RULE);
        // A producer that stays is a fault even so, and without a process there is nothing else.
        let reading = Reading { gauge: Gauge::Active, value: Err("x".to_owned()), against: None };
        let stays = left(&[0, 1, 1], seconds(10)).edit_run_events(connections);
        stays.happened("after", RunEventKind::Reading(reading.clone())).faults(&RULE);
        let run = crate::testing::Run::against(reference::answer).subscribe();
        run.happened("after", RunEventKind::Reading(reading)).is_inconclusive(&RULE);
    }

    #[test]
    fn a_short_wait_and_a_gauge_that_stands_still_are_thin() {
        left(&[0, 1, 1], seconds(2)).is_inconclusive(&RULE);
        left(&[3, 3, 4], seconds(10)).is_inconclusive(&RULE);
    }

    #[test]
    fn without_a_gauge_it_is_said_which_line_to_add() {
        let run = crate::testing::Run::against(reference::answer).subscribe();
        run.skips(&RULE);
        let run =
            run.happened("", sseproof_record::RunEventKind::Lacking(sseproof_record::Lack::Active));
        let Verdict::Skip(why) = run.judge(&RULE) else { panic!("no skip") };
        assert!(why.contains("add `active: {"), "{why}");
    }
}
