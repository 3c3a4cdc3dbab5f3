//! `retry` is digits.

use super::lines::{Known, LineEnd, blocks};
use super::tally::each_stream;
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/retry-digits",
    judge,
    mutants: &[Mutant::new("retry-with-unit", "writes a retry with a unit", |visit| {
        slip_in(visit, b"retry: 3s\n\n")
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    each_stream(record, "retry field", |view, tally| {
        let body = view.body_bytes();
        for line in blocks(&body).iter().flat_map(|block| block.all(Known::Retry)) {
            // A line without an end counts for nothing, whatever it says.
            if line.end == LineEnd::Missing {
                continue;
            }
            tally.look();
            let value = line.value();
            if !value.is_empty() && value.iter().all(u8::is_ascii_digit) {
                continue;
            }
            tally.fault(|| {
                let message = format!("the retry {} {}", quoted(value), what(value));
                Fault::at(view, line.value_start(), message)
            });
        }
    })
}

fn what(value: &[u8]) -> &'static str {
    let trimmed = value.trim_ascii();
    let number = str::from_utf8(trimmed).ok().and_then(|text| text.parse::<f64>().ok());
    let unit = trimmed.iter().position(|byte| !byte.is_ascii_digit()).filter(|&digits| digits > 0);
    match (trimmed, number, unit) {
        (b"", ..) => "is empty",
        _ if trimmed.len() < value.len() && trimmed.iter().all(u8::is_ascii_digit) => {
            "has white space around its digits"
        }
        ([b'-', ..], Some(_), _) => "is negative",
        ([b'+', ..], Some(_), _) => "has a sign",
        (_, Some(_), _) => "is not a whole number",
        (_, None, Some(_)) => "has more than digits, such as a unit",
        _ => "is not a number",
    }
}
