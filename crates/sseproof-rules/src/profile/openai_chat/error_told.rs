//! What goes wrong in mid-stream is said.

use sseproof_record::{Action, Ending};

use super::chunks::each_completion;
use super::reference;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/error-told",
    judge,
    mutants: &[Mutant::new(
        "silent-end",
        "loses its model in mid-stream and ends the response as if all was said",
        |visit| {
            let plan = reference::answer(visit);
            let is_stream = plan.actions.iter().any(|action| matches!(action, Action::Wait(_)));
            if is_stream { plan.cut(3, [Action::Finish]) } else { plan }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no stream of a completion was seen to its end";
    each_completion(record, "end", none, |completion, tally| {
        if completion.view.end.how != Ending::Complete {
            return;
        }
        tally.look();
        if completion.is_done() || completion.has_error() || completion.is_finished() {
            return;
        }
        let message = match completion.ends().len() {
            0 => "the response ends without a choice, an error or `[DONE]`",
            _ => "the response ends in mid-answer: no `finish_reason`, no error, no `[DONE]`",
        };
        let end = completion.view.body_len();
        tally.fault(|| Fault::at(&completion.view, end, message));
    })
}
