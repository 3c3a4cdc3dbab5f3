//! A server bounds the events that it buffers for a client that does not read.

use sseproof_record::{Gauge, Lack, Reading, RunEventKind};

use super::leaving::nothing_read;
use super::stalled::{NEVER_SERVED, heard_before};
use crate::{Fault, Mutant, Record, Rule, Verdict, reference};
use sseproof_units::bytes;

pub(super) const RULE: Rule = Rule {
    id: "lifecycle/bounded",
    judge,
    mutants: &[Mutant::new(
        "hoards",
        "keeps everything for a client that reads nothing",
        |visit| match visit.request.path() {
            "/memory" if visit.open > 0 => reference::number(visit.earlier << 20),
            _ => reference::answer(visit),
        },
    )],
};

/// Less than this is no more than the noise of a collector.
const NOISE: u64 = 12 << 20;

fn judge(record: &Record<'_>) -> Verdict {
    let stalled = record.run_events().iter().filter_map(|happening| match happening.what {
        RunEventKind::Stalled { exchange } => Some((exchange, happening)),
        _ => None,
    });
    let reading =
        |name: &str, scenario: &str| {
            record.run_events().iter().rev().find_map(|happening| match &happening.what {
                RunEventKind::Reading(Reading {
                    gauge: Gauge::Memory, value: Ok(value), ..
                }) if happening.name == name && happening.scenario == scenario => Some(*value),
                _ => None,
            })
        };
    let found = stalled.into_iter().find_map(|(exchange, stall)| {
        let of = |name| reading(name, &stall.scenario);
        Some((exchange, stall, of("before")?, of("alone")?, of("stalled")?))
    });
    let Some((exchange, stall, before, alone, with_client)) = found else {
        let lacks = [Lack::Process, Lack::Publish];
        let none = "no memory was read while a client read nothing";
        return nothing_read(record, Gauge::Memory, &lacks, none);
    };
    let Some(view) = record.exchange(exchange) else {
        return Verdict::Inconclusive("the client is not in the record".to_owned());
    };
    if !heard_before(&view, stall.at) {
        return Verdict::Inconclusive(NEVER_SERVED.to_owned());
    }
    let poured = |late: bool| {
        let run_events = record.run_events().iter();
        let of = run_events
            .filter(|other| other.scenario == stall.scenario && (other.at >= stall.at) == late);
        of.map(|other| if let RunEventKind::Poured { bytes, .. } = other.what { bytes } else { 0 })
            .sum()
    };
    let (first, second): (u64, u64) = (poured(false), poured(true));
    if first == 0 || second == 0 {
        return Verdict::Inconclusive(
            "too few events could be published to compare the server's memory".to_owned(),
        );
    }
    // Without subscribers the server keeps only the events that it keeps in any case.
    let kept = alone.saturating_sub(before) * second / first;
    let grown = with_client.saturating_sub(alone).saturating_sub(kept);
    if grown >= NOISE && grown * 10 >= second * 6 {
        let message = format!(
            "this client reads nothing, and {} of events raise the server's memory by {}, and without subscribers by {}",
            bytes(second),
            bytes(with_client.saturating_sub(alone)),
            bytes(alone.saturating_sub(before))
        );
        return Verdict::Fail(vec![Fault::whole(&view, message)]);
    }
    if second < NOISE {
        return Verdict::Inconclusive(format!(
            "only {} could be published, which is less than the noise of the memory",
            bytes(second)
        ));
    }
    // A collector that lets its heap grow hides in it what piles up.
    if grown * 4 > second || kept * 4 > second {
        return Verdict::Inconclusive(format!(
            "{} of unread events raised the server's memory by {} with the stalled client, and by {} without it",
            bytes(second),
            bytes(with_client.saturating_sub(alone)),
            bytes(alone.saturating_sub(before))
        ));
    }
    Verdict::Pass(format!(
        "{} that a client did not read raised the memory by {}",
        bytes(second),
        bytes(grown)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::Request;
    use std::time::Duration;

    fn run(memory: [u64; 3], mib: u64) -> Run {
        let at = Duration::from_secs;
        let [before, alone, stalled] = memory.map(|mib| {
            RunEventKind::Reading(Reading {
                gauge: Gauge::Memory,
                value: Ok(mib << 20),
                against: None,
            })
        });
        let poured = || RunEventKind::Poured { bytes: mib << 20, stopped: None };
        Run::against(reference::answer)
            .visit(Request::subscribe(URL), at(9))
            .happened_at(at(1), "before", before)
            .happened_at(at(1), "", poured())
            .happened_at(at(2), "alone", alone)
            .happened_at(at(3), "", RunEventKind::Stalled { exchange: 1 })
            .happened_at(at(3), "", poured())
            .happened_at(at(4), "stalled", stalled)
    }

    #[test]
    fn memory_that_grows_with_what_is_not_read_is_a_fault() {
        let faults = run([50, 51, 80], 28).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "this client reads nothing, and 28 MiB of events raise the server's memory by 29 MiB, and without subscribers by 1 MiB"
        );
    }

    #[test]
    fn small_growth_passes() {
        run([50, 51, 56], 28).passes(&RULE);
    }

    #[test]
    fn a_heap_that_grows_in_any_case_may_hide_it() {
        // A history, or a collector that has not run yet.
        run([50, 78, 106], 28).is_inconclusive(&RULE);
        run([50, 178, 196], 28).is_inconclusive(&RULE);
        run([50, 51, 64], 28).is_inconclusive(&RULE);
    }

    #[test]
    fn little_that_was_published_is_thin() {
        run([50, 51, 54], 2).is_inconclusive(&RULE);
        run([50, 51, 80], 0).is_inconclusive(&RULE);
    }

    #[test]
    fn a_client_that_never_got_anything_proves_nothing() {
        run([50, 51, 52], 28).edit(|slow| slow.body.clear()).is_inconclusive(&RULE);
    }

    #[test]
    fn without_a_memory_to_read_it_skips() {
        Run::against(reference::answer).subscribe().skips(&RULE);
        let mute = run([50, 51, 52], 28).edit_run_events(|what| {
            if let RunEventKind::Reading(reading) = what {
                reading.value = Err("GET /memory answered 404".to_owned());
            }
        });
        let Verdict::Inconclusive(why) = mute.judge(&RULE) else { panic!("it decides") };
        assert!(why.ends_with("bytes of memory cannot be read: GET /memory answered 404"), "{why}");
    }
}
