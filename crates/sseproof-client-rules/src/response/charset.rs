//! A stream is UTF-8, whatever its type declares.

use super::{LETTER, delivered};
use crate::{Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "client/response-charset",
    cases: &["charset"],
    judge: |view: &View<'_>| -> Judgement {
        delivered(view, &[LETTER], "UTF-8, whatever is declared")
    },
    mutants: &[Mutant::new(
        "heeds-charset",
        "decodes the stream by the declared charset",
        Hooks {
            received: |state, bytes, _| {
                let media_type = state.answer.first("content-type").unwrap_or_default();
                if media_type.ends_with("charset=iso-8859-1") {
                    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
                    return text.into_bytes();
                }
                bytes.to_vec()
            },
            ..REFERENCE
        },
    )],
};
