//! No character is torn between two chunks.

use std::cell::Cell;
use std::collections::BTreeSet;

use super::chunks::each_completion;
use super::{NO_CHUNK, rewritten};
use crate::profile::json::HALF;
use crate::profile::written::Written;
use crate::stream::quoted;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/whole-characters",
    requirement: "openai-chat/whole-characters",
    title: "each delta holds whole characters",
    why: "A token may end within a character: sent as it is, both halves become `\u{FFFD}` for good, in every emoji and in half of all Chinese and Japanese text.",
    fix: "Hold back the bytes of an unfinished character until the next token completes it: decode the tokens with an incremental UTF-8 decoder.",
    recipes: &[crate::Recipe {
        with: "Python",
        write: "decoder = codecs.getincrementaldecoder(\"utf-8\")()\ntext = decoder.decode(token_bytes)",
    }],
    judge,
    mutants: &[
        Mutant {
            id: "torn-characters",
            wrong: "decodes each token by itself, so that a character of two tokens is lost",
            serve: |visit| torn(visit, "\u{FFFD}", "\u{FFFD}"),
        },
        Mutant {
            id: "torn-surrogates",
            wrong: "cuts its text by UTF-16 units, and sends each half of an emoji by itself",
            serve: |visit| torn(visit, "\\ud83d", "\\udc4b"),
        },
    ],
};

/// The reference, in which the hand that waves comes in two pieces.
fn torn(
    visit: &sseproof_exchange::Visit<'_>,
    first: &str,
    second: &str,
) -> sseproof_exchange::Plan {
    rewritten(visit, |_, event| match event.data.contains(" 👋🏽") {
        true => [first, second].map(|half| Written::data(event.data.replace(" 👋🏽", half))).to_vec(),
        false => vec![event],
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let lone = Cell::new(false);
    let verdict = each_completion(record, "delta", NO_CHUNK, |completion, tally| {
        let mut cut = BTreeSet::new();
        for (piece, index, choice) in completion.choices() {
            let Some(text) = choice["delta"]["content"].as_str() else { continue };
            tally.look();
            let is_escaped =
                text.contains(HALF) && !piece.data.contains(HALF) && !spelled(piece.data);
            if is_escaped || (text.starts_with(HALF) && cut.contains(&index)) {
                let message =
                    format!("a character is torn in two here: {}", quoted(text.as_bytes()));
                tally.fault(|| Fault::at(&completion.view, piece.offset, message));
            } else if text.contains(HALF) {
                lone.set(true);
            }
            if text.ends_with(HALF) {
                cut.insert(index);
            } else if !text.is_empty() {
                cut.remove(&index);
            }
        }
    });
    match verdict {
        // A model may well write that character by itself.
        Verdict::Pass(_) if lone.get() => Verdict::Inconclusive(format!(
            "a delta holds `{HALF}`, but its neighbours do not: it may be meant"
        )),
        verdict => verdict,
    }
}

/// Whether the JSON holds the character as an escape, so that it is meant.
fn spelled(data: &str) -> bool {
    data.to_ascii_lowercase().contains("\\ufffd")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::body;

    fn deltas(texts: &[&str]) -> crate::testing::Run {
        let chunk = |text: &&str| {
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
            )
        };
        body(texts.iter().map(chunk).collect::<String>().as_bytes())
    }

    #[test]
    fn two_halves_side_by_side_are_torn() {
        let faults = deltas(&["a \u{FFFD}", "\u{FFFD} b"]).faults(&RULE);
        assert!(faults[0].message.starts_with("a character is torn in two here"));
        deltas(&["a\u{FFFD}", "", "\u{FFFD}"]).faults(&RULE);
        deltas(&["\\ud83d", "\\ude00"]).faults(&RULE);
    }

    #[test]
    fn one_by_itself_may_be_meant() {
        deltas(&["a \u{FFFD} b", "c"]).is_inconclusive(&RULE);
        deltas(&["\\ufffd"]).is_inconclusive(&RULE);
        deltas(&["\\ud83d\\ude00", "語"]).passes(&RULE);
    }
}
