//! Every line of a payload begins with `data:`.

use super::unknown::{Cause, Unknown, each_unknown};
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
    let meant = |unknown| match unknown {
        Unknown::Payload(cause) => Some(cause),
        _ => None,
    };
    each_unknown(record, meant, |view, line, cause| {
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
    })
}
