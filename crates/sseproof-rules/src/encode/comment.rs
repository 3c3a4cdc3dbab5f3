//! A comment arrives as it was published, or is refused.

use sseproof_record::Part;

use super::{came_back, changing};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/comment",
    judge,
    mutants: &[Mutant::new(
        "first-line-of-comment",
        "sends only the first line of a comment",
        |visit| {
            changing(visit, |message| {
                let first = |text: String| text.split(['\r', '\n']).next().map(str::to_owned);
                message.comment = message.comment.take().and_then(first);
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    came_back::judge(record, Part::Comment)
}
