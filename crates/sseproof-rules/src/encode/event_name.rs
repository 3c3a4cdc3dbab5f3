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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{between, published_as};
    use crate::reference;

    #[test]
    fn what_arrives_under_another_name_is_shown() {
        let run = between(b"event: ab\ndata: C\n\n", Part::Event, "a b");
        let faults = run.faults(&RULE);
        assert_eq!(
            faults[0].message,
            "an event name with a payload arrives changed: `a b` as `ab`"
        );
    }

    #[test]
    fn names_that_arrive_or_are_refused_are_right() {
        for name in ["a\nb", "a\rb", "a\0b", " a", "", "caf\u{e9}"] {
            published_as(reference::answer, Part::Event, name).passes(&RULE);
        }
        between(b": other\n\nevent: x\ndata: 1\n\nevent: a:b\ndata: C\n\n", Part::Event, "a:b")
            .passes(&RULE);
        between(b"data: C\n\n", Part::Event, "").passes(&RULE);
    }

    #[test]
    fn a_name_that_ends_the_stream_is_no_right_one() {
        use sseproof_record::Ending;
        let cut = |how: Ending| {
            between(b"", Part::Event, "a\nb").edit(|last| {
                let body = last.body_bytes();
                let kept = &body[..body.len() - b"data: S3\n\n".len()];
                last.body = vec![sseproof_record::Chunk { at: last.started, bytes: kept.into() }];
                last.end.how = how;
            })
        };
        let faults = cut(Ending::Truncated).faults(&RULE);
        assert_eq!(faults[0].message, r"an event name with a payload ends the stream: `a\nb`");
        cut(Ending::Left).is_inconclusive(&RULE);
    }

    #[test]
    fn mutants_change_what_they_say() {
        for (mutant, name) in RULE.mutants.iter().zip([" a", "caf\u{e9}"]) {
            published_as(mutant.serve, Part::Event, name).faults(&RULE);
            published_as(mutant.serve, Part::Event, "plain").passes(&RULE);
        }
    }

    #[test]
    fn where_no_name_can_be_given_or_none_arrives_nothing_is_proven() {
        crate::encode::testing::published(b"data: a\n\n", "a").skips(&RULE);
        published_as(|visit| changing(visit, |message| message.event = None), Part::Event, "a\nb")
            .is_inconclusive(&RULE);
    }
}
