//! `[DONE]` is spelled exactly so.

use super::chunks::{What, each_completion};
use super::rewritten;
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/done-exact",
    judge,
    mutants: &[
        Mutant::new("done-with-space", "writes a space behind [DONE]", |visit| {
            respelled(visit, "[DONE] ")
        }),
        Mutant::new("done-in-quotes", "sends [DONE] through the JSON encoder", |visit| {
            respelled(visit, "\"[DONE]\"")
        }),
        Mutant::new("done-in-small", "writes [done] in small letters", |visit| {
            respelled(visit, "[done]")
        }),
    ],
};

fn respelled(visit: &sseproof_record::Visit<'_>, done: &str) -> sseproof_record::Plan {
    rewritten(visit, |_, event| {
        vec![if event.data == "[DONE]" { Written::data(done) } else { event }]
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    each_completion(record, "end", "no stream carried `[DONE]`", |completion, tally| {
        for piece in &completion.pieces {
            match piece.what {
                What::Done => tally.look(),
                What::Nearly => tally.fault(|| {
                    let data = quoted(piece.data.as_bytes());
                    let message = format!("the end is spelled {data}, and not `[DONE]`");
                    Fault::at(&completion.view, piece.offset, message)
                }),
                _ => {}
            }
        }
    })
}
