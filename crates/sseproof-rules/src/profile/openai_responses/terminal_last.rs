//! A response says how it ended, last of all.

use super::{TERMINAL, rewritten};
use crate::profile::typed::each_typed;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/terminal-last",
    judge,
    mutants: &[
        Mutant::new(
            "no-terminal-event",
            "ends the stream behind its last item and never says that the response is completed",
            |visit| {
                rewritten(visit, |_, event| {
                    let is_it = event.data.contains("\"response.completed\"");
                    if is_it { Vec::new() } else { vec![event] }
                })
            },
        ),
        Mutant::new("completed-twice", "completes a response twice", |visit| {
            rewritten(visit, |_, event| {
                let is_it = event.data.contains("\"response.completed\"");
                vec![event; if is_it { 2 } else { 1 }]
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a response was seen to its end";
    each_typed(record, "end", none, |stream, tally| {
        let mut ended: Option<&str> = None;
        for piece in stream.pieces.iter().filter(|piece| !piece.kind().is_empty()) {
            match ended {
                Some("error") if TERMINAL.contains(&piece.kind()) => {}
                Some(before) => {
                    let message = format!("`{}` comes behind `{before}`", piece.kind());
                    tally.fault(|| stream.fault(piece, message));
                }
                None if TERMINAL.contains(&piece.kind()) => {
                    tally.look();
                    ended = Some(piece.kind());
                }
                None => {}
            }
        }
        if ended.is_none() && stream.is_ended() && !stream.pieces.is_empty() {
            tally.look();
            let message = "the stream ends, and the response is neither completed nor failed";
            tally.fault(|| Fault::at(&stream.view, stream.view.body_len(), message));
        }
    })
}
