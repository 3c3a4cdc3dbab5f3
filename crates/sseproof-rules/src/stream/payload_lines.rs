//! Every line of a payload begins with `data:`.

use super::lines::whole_lines;
use super::tally::each_stream;
use super::unknown::{Cause, Unknown, unknown_lines};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/payload-lines",
    judge,
    mutants: &[
        Mutant::new("pretty-json", "writes JSON of several lines after one `data:`", |visit| {
            slip_in(visit, b"data: {\n  \"n\": 1\n}\n\n")
        }),
        Mutant::new("cr-in-payload", "writes a payload with a lone CR as it is", |visit| {
            slip_in(visit, b"data: 50 %\r100 %\n\n")
        }),
        Mutant::new(
            "bare-error-line",
            "writes an error as a line of JSON without `data:`",
            |visit| slip_in(visit, b"{\"error\":\"broken\"}\n\n"),
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "line", |view, tally| {
        let body = view.body_bytes();
        let blocks = whole_lines(view, &body);
        tally.look_at(blocks.iter().map(|block| block.lines().len() as u64).sum());
        for (line, unknown) in unknown_lines(&blocks) {
            let Unknown::Payload(cause) = unknown else { continue };
            tally.fault(|| {
                let shown = quoted(line.bytes);
                let (message, consequence) = match cause {
                    Cause::LineFeed => (
                        format!("the payload continues in the next line without `data:`: {shown}"),
                        "clients deliver only the lines with `data:`, so the payload arrives broken",
                    ),
                    Cause::CarriageReturn => (
                        format!("a lone CR in a payload ends its line, and {shown} is a new one"),
                        "clients drop the text after the CR; anyone who controls the payload can write fields and whole events there",
                    ),
                    Cause::NoPrefix => (
                        format!("a line without `data:`: {shown}"),
                        "clients drop this line and report nothing",
                    ),
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
    use sseproof_record::Ending;

    #[test]
    fn the_first_line_without_its_prefix_is_named() {
        let faults = body(b"data: {\n  \"n\": 1\n}\n\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(8));
        assert_eq!(
            faults[0].message,
            "the payload continues in the next line without `data:`: `  \"n\": 1` (the first of 2 in this stream)"
        );
    }

    #[test]
    fn a_cr_in_the_payload_is_not_a_line_feed() {
        let faults = body(b"data: foo\rbar\n\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(10));
        assert!(faults[0].message.starts_with("a lone CR in a payload"), "{}", faults[0].message);
    }

    #[test]
    fn an_error_without_any_field_is_named_at_the_very_end_too() {
        let faults = body(b"data: a\n\n{\"error\":1}").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(9));
        assert_eq!(faults[0].message, "a line without `data:`: `{\"error\":1}`");
    }

    #[test]
    fn half_a_line_where_we_left_is_nothing() {
        let how = Ending::Left;
        body(b"data: a\n\n{\"da").edit(|exchange| exchange.end.how = how).passes(&RULE);
    }

    #[test]
    fn several_lines_with_their_prefix_are_fine() {
        body(b"data: {\ndata:   \"n\": 1\ndata\ndata: }\n\n").passes(&RULE);
    }

    #[test]
    fn crs_that_the_server_writes_as_line_ends_are_fine() {
        body(b"data: a\rdata: b\r\rfoo: c\r\r").passes(&RULE);
        body(b"data: a\rdata: b\n\n").passes(&RULE);
    }

    #[test]
    fn what_may_be_an_extension_is_judged_elsewhere() {
        body(b"data: a\nx-vendor: b\n\nping\n\nData: c\n\n").passes(&RULE);
    }

    #[test]
    fn no_line_is_no_evidence() {
        body(b"\n\n").skips(&RULE);
    }
}
