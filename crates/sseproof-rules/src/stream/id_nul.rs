//! Ids have no NUL.

use sseproof_codec::AnomalyKind;

use super::lines::{Known, blocks};
use super::slip_in;
use super::tally::each_stream;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/id-nul",
    judge,
    mutants: &[Mutant::new("id-with-nul", "writes an id with a NUL", |visit| {
        slip_in(visit, b"id: a\0b\ndata: x\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "id", |view, tally| {
        let body = view.body_bytes();
        tally.look_at(blocks(&body).iter().map(|block| block.all(Known::Id).count() as u64).sum());
        for anomaly in view.anomalies().filter(|a| a.kind == AnomalyKind::NulInId) {
            tally.fault(|| {
                let before = view
                    .events()
                    .take_while(|(event, _)| event.span.end <= anomaly.span.start)
                    .last()
                    .map(|(event, _)| super::quoted(event.last_event_id.as_bytes()));
                let stays = match before {
                    Some(id) if id != "``" => format!("clients ignore the id and keep {id}"),
                    _ => "clients ignore the id and have none".to_owned(),
                };
                Fault::at(view, anomaly.span.start, "a NUL in an id").so(stays)
            });
        }
    })
}
