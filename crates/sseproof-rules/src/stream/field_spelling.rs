//! Field names are spelled as the standard spells them.

use super::lines::whole_lines;
use super::tally::each_stream;
use super::unknown::{Unknown, unknown_lines};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/field-spelling",
    judge,
    mutants: &[
        Mutant::new("upper-case-names", "writes a field name with a capital", |visit| {
            slip_in(visit, b"Data: lost\n\n")
        }),
        Mutant::new("indented-names", "writes an indented template", |visit| {
            slip_in(visit, b"    event: lost\n    data: lost\n\n")
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        let blocks = whole_lines(view, &body);
        tally.look_at(blocks.iter().map(|block| block.lines().len() as u64).sum());
        for (line, unknown) in unknown_lines(&blocks) {
            let Unknown::Misspelled(known) = unknown else { continue };
            tally.fault(|| {
                let message = format!("{} is not the field `{known}`", quoted(line.name()));
                let consequence = match known {
                    "data" => "clients drop this line, and an event without other data with it",
                    "event" => {
                        "clients deliver the event as `message`, and not to the listeners of its type"
                    }
                    "id" => "clients keep an older id, and resume at the wrong place",
                    _ => "clients keep their old reconnection time",
                };
                Fault::at(view, line.start, message).so(consequence)
            });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn capitals_and_white_space_are_named() {
        for (bytes, message) in [
            (&b"data: a\n\nData: a\n\n"[..], "`Data` is not the field `data`"),
            (b"data: a\n\n id: a\n\n", "` id` is not the field `id`"),
            (b"data: a\n\nEVENT : a\n\n", "`EVENT ` is not the field `event`"),
            (b"data: a\n\n\tretry: 5\n\n", "`\\tretry` is not the field `retry`"),
        ] {
            let faults = body(bytes).faults(&RULE);
            assert_eq!((&*faults[0].message, &faults[0].place), (message, &Place::Body(9)));
        }
    }

    #[test]
    fn other_names_are_judged_elsewhere() {
        body(b"data: a\nfoo: b\n\n{\"Data\": 1}\n\n").passes(&RULE);
    }

    #[test]
    fn an_indented_line_of_a_payload_is_judged_elsewhere() {
        body(b"data: config:\n  id: 1\n\n").passes(&RULE);
    }

    #[test]
    fn values_and_comments_may_say_anything() {
        body(b": Data: a\ndata: Event: b\ndata:Id: c\n\n").passes(&RULE);
    }

    #[test]
    fn no_line_is_no_evidence() {
        body(b"").skips(&RULE);
    }
}
