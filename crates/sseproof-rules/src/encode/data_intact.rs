//! Data arrives as it was published, or is refused.

use sseproof_record::Part;

use super::{came_back, data_lines, publishing, with_line_feeds};
use crate::{Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/data-intact",
    judge,
    mutants: &[
        Mutant::new(
            "unicode-lines",
            "splits payloads at every line end that Unicode knows, and loses the last one",
            |visit| publishing(visit, |data| data_lines(split_lines(data))),
        ),
        Mutant::new("trims-data", "takes the white space around a payload away", |visit| {
            publishing(visit, |data| data_lines(with_line_feeds(data).trim().split('\n')))
        }),
        Mutant::new(
            "trims-answer",
            "answers with a payload, and takes the white space around it away",
            |visit| publishing(visit, |data| data_lines(with_line_feeds(data).trim().split('\n'))),
        )
        .answered(),
        Mutant::new("skips-empty-lines", "leaves out the empty lines of a payload", |visit| {
            publishing(visit, |data| {
                let text = with_line_feeds(data);
                let lines = text.split('\n').filter(|line| !line.is_empty() || data.is_empty());
                data_lines(lines)
            })
        }),
        Mutant::new("cut-at-nul", "ends a payload at its first NUL", |visit| {
            publishing(visit, |data| {
                let text = with_line_feeds(data);
                data_lines(text.split('\0').next().unwrap_or_default().split('\n'))
            })
        }),
        Mutant::new("cuts-long-data", "sends the first 512 KiB of a payload", |visit| {
            publishing(visit, |data| {
                let text = with_line_feeds(data);
                let end = text.floor_char_boundary(512 << 10);
                data_lines(text[..end].split('\n'))
            })
        }),
        // No listed payload shows this fault: only generated ones find it.
        Mutant::new("colon-behind-cr", "loses a colon that follows a CR", |visit| {
            publishing(visit, |data| {
                data_lines(with_line_feeds(&data.replace("\r:", "\r")).split('\n'))
            })
        }),
    ],
};

/// As Python's `splitlines`, except for the empty text.
fn split_lines(data: &str) -> Vec<&str> {
    let ends = |char| {
        matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}')
            || matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    let mut lines = Vec::new();
    let mut rest = data;
    while let Some(end) = rest.find(ends) {
        lines.push(&rest[..end]);
        let behind = &rest[end..];
        let length = if behind.starts_with("\r\n") {
            2
        } else {
            behind.chars().next().map_or(1, char::len_utf8)
        };
        rest = &behind[length..];
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest);
    }
    lines
}

fn judge(record: &Record<'_>) -> Verdict {
    came_back::judge(record, Part::Data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_python_does() {
        for (text, lines) in
            [("", vec![""]), ("a\n", vec!["a"]), ("a\r\n\u{2028}b", vec!["a", "", "b"])]
        {
            assert_eq!(split_lines(text), lines, "{text:?}");
        }
    }
}
