//! A stream that never ends an event does not fill the memory of the client.
//!
//! Runtimes let their memory grow before they collect garbage, so the same stream has first a part
//! that no client keeps: comments, each in a block of its own. Only growth beyond that counts.

use std::time::Duration;

use sseproof_http::{Bytes, Plan};

use crate::stream;
use crate::{Case, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, What, When};

/// The pieces that are poured.
const PIECE: usize = 256 << 10;
/// How many come before the second event, and after it.
const PIECES: (usize, usize) = (64, 128);
/// Growth by that many bytes is the stream itself, kept in memory.
pub(super) const GROWTH: u64 = 24 << 20;
/// The time before and after each part, in milliseconds, for the readings of the memory.
pub(super) const PAUSE: u64 = 400;

pub(super) const RULE: Rule = Rule {
    id: "client/endurance-memory",
    cases: &["memory-line", "memory-data", "memory-comments"],
    judge,
    mutants: &[Mutant::new(
        "keeps-the-stream",
        "keeps all bytes of a stream in memory",
        Hooks {
            received: |state, bytes, _| {
                state.held.extend_from_slice(bytes);
                bytes.to_vec()
            },
            ..REFERENCE
        },
    )],
};

pub(super) const LINE: Case =
    Case::new("memory-line", "the server sends a line of 32 MiB without an end", |_| {
        pours("data: ", &"x".repeat(PIECE))
    })
    .until(When::Ends(1), Quiet::Short)
    .measured();

pub(super) const DATA: Case = Case::new(
    "memory-data",
    "the server sends 32 MiB of `data` lines without a blank line",
    |_| pours("", &format!("data: {}\n", "x".repeat(1017)).repeat(PIECE >> 10)),
)
.until(When::Ends(1), Quiet::Short)
.measured();

pub(super) const COMMENTS: Case = Case::new(
    "memory-comments",
    "the server sends 32 MiB of comments without a blank line",
    |_| pours("", &format!(":{}\n", "x".repeat(1022)).repeat(PIECE >> 10)),
)
.until(When::Ends(1), Quiet::Short)
.measured();

fn pours(start: &str, piece: &str) -> Plan {
    let harmless: Bytes = format!(":{}\n\n", "x".repeat(1021)).repeat(PIECE >> 10).into();
    let piece: Bytes = piece.into();
    let answer = stream().write("data: one\n\n").wait(PAUSE);
    let answer = (0..PIECES.0).fold(answer, |answer, _| answer.write(harmless.clone()));
    let answer = answer.write("data: two\n\n").wait(PAUSE).write(start);
    let answer = (0..PIECES.1).fold(answer, |answer, _| answer.write(piece.clone()));
    answer.wait(PAUSE).end()
}

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    let Some(second) = events.get(1) else {
        return Judgement::Unclear("the client did not read 16 MiB of comments in time".to_owned());
    };
    let Some((growth, entry)) = growth(view, second.at + Duration::from_millis(PAUSE / 2)) else {
        return Judgement::Unclear("the memory of the client was not read".to_owned());
    };
    let shown = sseproof_units::bytes(growth);
    if growth > GROWTH {
        let message = format!(
            "the memory of the client grows by {shown} while the server sends 32 MiB that are not an event"
        );
        return Fault::at(entry, message).into();
    }
    match view.end(1) {
        Some(_) => Judgement::held(format!("the memory of the client grew by {shown} with 32 MiB")),
        None => Judgement::Unclear("the client did not read 32 MiB in time".to_owned()),
    }
}

/// How much the most memory after this moment is above the most before it, and the entry of it.
pub(super) fn growth(view: &View<'_>, border: Duration) -> Option<(u64, usize)> {
    let readings = || {
        view.entries().filter_map(|seen| match seen.what {
            What::Memory(bytes) => Some((seen.entry, seen.at, *bytes)),
            _ => None,
        })
    };
    let before = readings().filter(|(_, at, _)| *at < border).map(|(.., bytes)| bytes).max()?;
    let after = readings().filter(|(_, at, _)| *at >= border).max_by_key(|(.., bytes)| *bytes)?;
    Some((after.2.saturating_sub(before), after.0))
}
