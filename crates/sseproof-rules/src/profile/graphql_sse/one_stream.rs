//! A reservation is for one stream.

use super::reference;
use super::traffic::{each_reserved, is_reserved, is_single_stream, token};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/one-stream",
    judge,
    mutants: &[Mutant::new(
        "graphql-token-twice",
        "opens a second stream for a reservation",
        |visit| reference::answer(&sseproof_record::Visit { open: 0, ..*visit }),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a reservation was opened";
    let wanted = |view: &View<'_>| is_single_stream(view) && is_reserved(record, view);
    each_reserved(record, "stream of a reservation", none, wanted, |view, tally| {
        tally.look();
        let is_same = |other: &View<'_>| {
            other.number < view.number
                && wanted(other)
                && token(&other.request) == token(&view.request)
                && other.overlaps(view)
        };
        if let Some(first) = record.all().find(is_same) {
            let message = format!(
                "a second stream opens for the reservation whose stream is open in exchange {}",
                first.number
            );
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
