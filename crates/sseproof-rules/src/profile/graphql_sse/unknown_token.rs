//! A token that nobody gave out.

use sseproof_record::Visit;

use super::mistaken;
use super::traffic::{UNKNOWN_TOKEN, each_reserved, is_single_stream, token};
use super::validation::tells_errors;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "graphql-sse/unknown-token",
    judge,
    mutants: &[Mutant::new("graphql-any-token", "opens a stream for any token", |visit| {
        let any = token(visit.request).as_deref() == Some(UNKNOWN_TOKEN);
        let open = if any { 0 } else { visit.open };
        mistaken(&Visit { open, ..*visit }, |request| {
            if any {
                request.headers.set(super::traffic::TOKEN, "reservation-0");
            }
        })
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no request with an unknown token was answered";
    let wanted = |view: &View<'_>| token(&view.request).as_deref() == Some(UNKNOWN_TOKEN);
    each_reserved(record, "refusal", none, wanted, |view, tally| {
        tally.look();
        // A stream that only tells an error is a refusal, too.
        if is_single_stream(view) && !tells_errors(view) {
            let message = "a token that was never given out opens a stream";
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
