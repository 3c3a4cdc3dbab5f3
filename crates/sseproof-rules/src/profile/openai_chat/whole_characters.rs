//! No character is torn between two chunks.

use super::chunks::Completion;
use super::{NO_CHUNK, rewritten};
use crate::profile::torn::{self, Fragment};
use crate::profile::written::Written;
use crate::{Mutant, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "openai-chat/whole-characters",
    judge: |record| torn::judge(record, NO_CHUNK, fragments),
    mutants: &[
        Mutant::new(
            "torn-characters",
            "decodes each token by itself, so that a character of two tokens is lost",
            |visit| torn(visit, "\u{FFFD}", "\u{FFFD}"),
        ),
        Mutant::new(
            "torn-surrogates",
            "cuts its text by UTF-16 units, and sends each half of an emoji by itself",
            |visit| torn(visit, "\\ud83d", "\\udc4b"),
        ),
    ],
};

/// The reference, in which the hand that waves comes in two pieces.
fn torn(visit: &sseproof_record::Visit<'_>, first: &str, second: &str) -> sseproof_record::Plan {
    rewritten(visit, |_, event| match event.data.contains(" 👋🏽") {
        true => [first, second].map(|half| Written::data(event.data.replace(" 👋🏽", half))).to_vec(),
        false => vec![event],
    })
}

fn fragments(view: &View<'_>) -> Vec<Fragment> {
    let completion = Completion::of(view);
    let texts = completion.choices().filter_map(|(piece, index, choice)| {
        let text = choice["delta"]["content"].as_str()?;
        Some(Fragment::new(piece.offset, index.to_string(), text, piece.data))
    });
    texts.collect()
}
