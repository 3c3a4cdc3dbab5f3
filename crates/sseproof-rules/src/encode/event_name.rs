//! An event name arrives as it was published, or is refused.

use sseproof_record::Part;

use super::{came_back, changing};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/event-name",
    judge,
    mutants: &[
        Mutant::new(
            "trims-event-name",
            "takes the white space around an event name away",
            |visit| {
                changing(visit, |message| {
                    let line_end = |name: &String| name.contains(['\r', '\n']);
                    let kept = |name: String| match line_end(&name) {
                        true => name,
                        false => name.trim().to_owned(),
                    };
                    message.event = message.event.take().map(kept);
                })
            },
        ),
        Mutant::new(
            "drops-odd-event-names",
            "leaves out an event name that is not ASCII",
            |visit| {
                changing(visit, |message| {
                    message.event = message.event.take().filter(|name| name.is_ascii());
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    came_back::judge(record, Part::Event)
}
