//! Nothing is lost between the replay and the live events.
//!
//! A client that stayed is the witness: it got the events that happened while the other one was
//! away or was being served its replay. `resume/no-loss` judges the events
//! that the other one had itself before it disconnected.

use super::resumption::{Resumption, brought, honoured, with_places};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};
use sseproof_units::counted;

/// How many events the mutant loses.
const LOST: u64 = 3;

pub(super) const RULE: Rule = Rule {
    id: "resume/no-gap",
    judge,
    mutants: &[Mutant::new(
        "subscribes-after-the-replay",
        "loses the events that happen between the replay and the subscription",
        |visit| {
            let answer = reference::answer(visit);
            let Some(id) = brought(visit) else { return answer };
            let replayed = reference::number_at(visit.now).saturating_sub(id);
            answer.map_writes(|index, bytes| match index as u64 {
                index if index > replayed && index <= replayed + LOST => b"".into(),
                _ => bytes,
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let found = match honoured(record) {
        Ok(found) => found,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut compared = 0;
    for resumption in &found {
        for witness in record.streams().filter(|view| stayed(view, resumption)) {
            let Some((same, fault)) = compare(resumption, &witness) else { continue };
            compared += same;
            faults.extend(fault);
        }
    }
    if faults.is_empty() && compared == 0 {
        let why = "no other client got events with the same ids meanwhile";
        return Verdict::Skip(why.to_owned());
    }
    faults.truncate(3);
    Verdict::from_faults(
        faults,
        format!("{} as a client that stayed got", counted(compared, "event")),
    )
}

/// Whether the client was there before the other one returned, and while it read on.
fn stayed(view: &View<'_>, resumption: &Resumption<'_>) -> bool {
    let (first, second) = (&resumption.first, &resumption.second);
    view.scenario == first.scenario
        && view.number != first.number
        && view.number != second.number
        && view.started < first.end.at
        && view.end.at > second.started
}

/// How many later events both clients got, and a fault if others are missing between them; `None`
/// if the two have no ids in common.
fn compare(resumption: &Resumption<'_>, witness: &View<'_>) -> Option<(u64, Option<Fault>)> {
    let events = with_places(witness, &resumption.no_place);
    let all: Vec<_> = events.iter().map(|event| event.last_event_id.as_ref()).collect();
    let known = resumption.missed.last().or(resumption.had.last())?;
    let place = all.iter().position(|id| *id == known.last_event_id)?;
    let later = &all[place + 1..];
    let came = |id: &str| resumption.came.iter().find(|event| event.last_event_id == id);
    let latest = later.iter().rposition(|id| came(id).is_some())?;
    let (same, lost): (Vec<&str>, Vec<&str>) =
        later[..=latest].iter().copied().partition(|id| came(id).is_some());
    let Some(first) = lost.first() else { return Some((same.len() as u64, None)) };
    let next = later[..=latest].iter().skip_while(|id| *id != first).find_map(|id| came(id))?;
    let shown: Vec<_> = lost.iter().take(5).map(|id| format!("{id:?}")).collect();
    let more = if lost.len() > 5 { format!(" and {} more", lost.len() - 5) } else { String::new() };
    let message = format!(
        "{}{more} reached a client that stayed (exchange {}), but never the one that resumed with {}",
        shown.join(", "),
        witness.number,
        resumption.label()
    );
    let fault = Fault::at(&resumption.second, next.span.start, message)
        .so("they happened after the replay was read and before the live subscription began");
    Some((same.len() as u64, Some(fault)))
}
