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
