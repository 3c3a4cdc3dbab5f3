//! A server bounds the events that it buffers for a client that does not read.

use sseproof_record::{Gauge, Lack, RunEvent, RunEventKind};

use super::leaving::{named, nothing_read, reading};
use super::stalled::{NEVER_SERVED, around, heard_before};
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
    let found = stalled.into_iter().find_map(|(exchange, stall)| {
        let of = |name| reading(record, Gauge::Memory, name, &stall.scenario);
        Some((exchange, stall, of(named::BEFORE)?, of(named::ALONE)?, of(named::STALLED)?))
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
    let poured = |event: &&RunEvent| match event.what {
        RunEventKind::Poured { bytes, .. } => Some(bytes),
        _ => None,
    };
    let (earlier, later) = around(record, stall);
    let first: u64 = earlier.iter().filter_map(poured).sum();
    let mut later = later.iter().filter_map(poured);
    let (second, third) = (later.next().unwrap_or_default(), later.next().unwrap_or_default());
    if first == 0 || second == 0 {
        return Verdict::Inconclusive(
            "too few events could be published to compare the server's memory".to_owned(),
        );
    }
    // Without subscribers the server keeps only the events that it keeps in any case.
    let kept = alone.saturating_sub(before) * second / first;
    let grown = with_client.saturating_sub(alone).saturating_sub(kept);
    if grown >= NOISE && grown * 10 >= second * 6 {
        // A queue that is full does not grow any more.
        let again = reading(record, Gauge::Memory, named::AGAIN, &stall.scenario);
        let more = again.map(|again| {
            let kept = alone.saturating_sub(before) * third / first;
            again.saturating_sub(with_client).saturating_sub(kept)
        });
        match more {
            Some(more) if third > 0 && more >= NOISE && more * 10 >= third * 6 => {}
            Some(_) if third < NOISE => {
                return Verdict::Inconclusive(format!(
                    "{} of unread events raised the memory by {}, but too few more could be published to see whether it goes on",
                    bytes(second),
                    bytes(grown)
                ));
            }
            Some(more) if more * 10 < third * 6 && more * 4 > third => {
                return Verdict::Inconclusive(format!(
                    "{} of unread events raised the memory by {}, and {} more by {}",
                    bytes(second),
                    bytes(grown),
                    bytes(third),
                    bytes(more)
                ));
            }
            Some(more) if more * 10 < third * 6 => {
                return Verdict::Pass(format!(
                    "a queue for a client that does not read grew to {}, and {} more events raised it by {}",
                    bytes(grown),
                    bytes(third),
                    bytes(more)
                ));
            }
            _ => {}
        }
        let and_more = more
            .map_or_else(String::new, |more| format!(", {} more by {}", bytes(third), bytes(more)));
        let message = format!(
            "this client reads nothing, and {} of events raise the server's memory by {}{and_more}, and without subscribers by {}",
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
