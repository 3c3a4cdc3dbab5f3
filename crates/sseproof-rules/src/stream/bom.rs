//! A byte order mark stands only at the very start.

use sseproof_codec::AnomalyKind;

use super::{slip_in, tally::each_stream};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/bom",
    judge,
    mutants: &[Mutant::new(
        "bom-per-write",
        "writes a byte order mark at the start of a later write",
        |visit| slip_in(visit, b"\xEF\xBB\xBFdata: marked\n\n"),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "byte", |view, tally| {
        tally.look_at(view.body_len());
        for anomaly in view.anomalies().filter(|a| a.kind == AnomalyKind::BomNotAtStart) {
            tally.fault(|| {
                let message = "a byte order mark (ef bb bf) at the start of a later line";
                Fault::at(view, anomaly.span.start, message)
                    .so("clients drop this whole line, since no field has such a name")
            });
        }
    })
}
