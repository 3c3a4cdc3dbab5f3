//! No character is torn between two deltas.

use sseproof_record::{Plan, Visit};

use super::rewritten;
use crate::profile::torn::{self, Fragment};
use crate::profile::typed::Typed;
use crate::profile::written::Written;
use crate::{Mutant, Rule, View};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/whole-characters",
    judge: |record| torn::judge(record, "no stream carried a delta", fragments),
    mutants: &[
        Mutant::new(
            "torn-message-characters",
            "decodes each token of a message by itself",
            |visit| torn(visit, "\u{FFFD}", "\u{FFFD}"),
        ),
        Mutant::new(
            "torn-message-surrogates",
            "cuts the text of a message by UTF-16 units",
            |visit| torn(visit, "\\ud83d", "\\udc4b"),
        ),
    ],
};

fn torn(visit: &Visit<'_>, first: &str, second: &str) -> Plan {
    rewritten(visit, |_, event| {
        if !event.data.contains(" 👋🏽") {
            return vec![event];
        }
        let with = |half| Written { data: event.data.replace(" 👋🏽", half), ..event.clone() };
        vec![with(first), with(second)]
    })
}

fn fragments(view: &View<'_>) -> Vec<Fragment> {
    let stream = Typed::of(view);
    let deltas = stream.pieces.iter().filter_map(|piece| {
        let delta = &piece.json["delta"];
        let text = ["text", "thinking", "partial_json"].map(|name| delta[name].as_str());
        let text = text.into_iter().flatten().next()?;
        Some(Fragment::new(piece.offset, piece.number("index").to_string(), text, piece.data))
    });
    deltas.collect()
}
