//! A comment stands between lines, not inside one.

use super::unknown::{Unknown, each_unknown};
use super::{quoted, slip_in};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "stream/comment-inside-line",
    judge,
    mutants: &[
        Mutant::new(
            "heartbeat-inside-json",
            "writes a heartbeat between two pieces of a data line",
            |visit| slip_in(visit, b"data: {\"text\": \"ti: tick\nck\"}\n\n"),
        ),
        Mutant::new(
            "heartbeat-inside-text",
            "writes a heartbeat between two pieces of a text",
            |visit| slip_in(visit, b"data: one t: heartbeat\n\nwo\n\n"),
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let meant = |unknown| match unknown {
        Unknown::AfterComment(offset) => Some(offset),
        _ => None,
    };
    each_unknown(record, meant, |view, line, offset| {
        let body = view.body_bytes();
        let comment = &body[offset as usize..line.start as usize];
        let message = format!(
            "the comment {} is in the middle of a line, which continues with {}",
            quoted(comment.trim_ascii_end()),
            quoted(line.bytes)
        );
        Fault::at(view, offset, message)
            .so("clients take the comment for a part of the payload and drop the rest of the line")
    })
}
