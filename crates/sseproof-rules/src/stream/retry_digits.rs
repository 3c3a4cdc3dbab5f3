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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::body;

    #[test]
    fn what_is_wrong_is_named() {
        for (value, what) in [
            ("", "is empty"),
            ("3s", "has more than digits, such as a unit"),
            ("3000ms", "has more than digits, such as a unit"),
            ("1.5", "is not a whole number"),
            ("3e3", "is not a whole number"),
            ("-1", "is negative"),
            ("+5", "has a sign"),
            (" 5", "has white space around its digits"),
            ("5 ", "has white space around its digits"),
            ("null", "is not a number"),
            ("٣", "is not a number"),
        ] {
            let faults = body(format!("retry: {value}\n\n").as_bytes()).faults(&RULE);
            assert_eq!(faults[0].message, format!("the retry `{value}` {what}"));
            assert_eq!(faults[0].place, Place::Body(7));
        }
    }

    #[test]
    fn digits_are_fine_with_and_without_the_space() {
        body(b"retry: 0\nretry:007\n\nretry: 99999999999999999999\n\n").passes(&RULE);
    }

    #[test]
    fn no_retry_is_no_evidence() {
        body(b"data: retry: 3s\n\nretry: 3s").skips(&RULE);
    }
}
