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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{between, published_as};
    use crate::reference;

    #[test]
    fn each_line_must_come() {
        let run = between(b": a\ndata: C\n\n", Part::Comment, "a\nb");
        let faults = run.faults(&RULE);
        assert_eq!(faults[0].message, r"a comment with a payload arrives changed: `a\nb` as `a`");
        between(b": a\n: heartbeat\n:b\n\ndata: C\n\n", Part::Comment, "a\r\nb").passes(&RULE);
        let run = between(b"data: C\n\n", Part::Comment, "a\nb");
        let message = r"a comment with a payload was accepted and never arrives: `a\nb`";
        assert_eq!(run.faults(&RULE)[0].message, message);
    }

    #[test]
    fn comments_that_arrive_or_are_refused_are_right() {
        for text in ["a\nb", "a\rb", "", "caf\u{e9}"] {
            published_as(reference::answer, Part::Comment, text).passes(&RULE);
        }
    }

    #[test]
    fn the_mutant_changes_what_it_says() {
        published_as(RULE.mutants[0].serve, Part::Comment, "a\nb").faults(&RULE);
        published_as(RULE.mutants[0].serve, Part::Comment, "plain").passes(&RULE);
    }
}
