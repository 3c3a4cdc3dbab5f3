//! `[DONE]` ends the stream.

use sseproof_record::Ending;

use super::chunks::{What, each_completion};
use super::rewritten;
use crate::profile::written::Written;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/done-last",
    judge,
    mutants: &[
        Mutant::new(
            "no-done",
            "ends the response behind the last chunk, without [DONE]",
            |visit| {
                rewritten(
                    visit,
                    |_, event| {
                        if event.data == "[DONE]" { Vec::new() } else { vec![event] }
                    },
                )
            },
        ),
        Mutant::new(
            "done-twice",
            "writes [DONE] twice, once in the handler and once in its clean-up",
            |visit| {
                rewritten(visit, |_, event| {
                    vec![event.clone(); if event.data == "[DONE]" { 2 } else { 1 }]
                })
            },
        ),
        Mutant::new("chunk-behind-done", "sends a last chunk behind [DONE]", |visit| {
            let mut last = Written::default();
            rewritten(visit, |_, event| {
                if event.data == "[DONE]" {
                    return vec![event, std::mem::take(&mut last)];
                }
                // The last one is held back until [DONE] is out.
                let before = std::mem::replace(&mut last, event);
                if before == Written::default() { Vec::new() } else { vec![before] }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a completion was seen to its end";
    each_completion(record, "end", none, |completion, tally| {
        let mut done = None;
        for piece in &completion.pieces {
            let is_done = matches!(piece.what, What::Done | What::Nearly);
            let wrong = match (&done, is_done) {
                (None, true) => {
                    tally.look();
                    done = Some(piece.offset);
                    continue;
                }
                (None, false) => continue,
                (Some(_), true) => "a second `[DONE]`",
                (Some(_), false) => "an event behind `[DONE]`, which nobody reads any more",
            };
            tally.fault(|| Fault::at(&completion.view, piece.offset, wrong));
        }
        // One that was cut, or that told of an error, is judged as such.
        let is_whole = completion.view.end.how == Ending::Complete && completion.is_finished();
        if is_whole && done.is_none() && !completion.has_error() {
            tally.look();
            let end = completion.view.body_len();
            let message = "the response ends behind the last chunk, without `[DONE]`";
            tally.fault(|| Fault::at(&completion.view, end, message));
        }
    })
}
