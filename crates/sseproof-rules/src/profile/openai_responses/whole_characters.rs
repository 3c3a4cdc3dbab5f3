//! No character is torn between two deltas.

use sseproof_record::{Plan, Visit};

use super::rewritten;
use crate::profile::torn::{self, Fragment};
use crate::profile::typed::Typed;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/whole-characters",
    judge: |record| torn::judge(record, "no stream carried a delta", fragments),
    mutants: &[
        Mutant::new(
            "torn-response-characters",
            "decodes each token of a response by itself",
            |visit| torn(visit, "\u{FFFD}", "\u{FFFD}"),
        ),
        Mutant::new(
            "torn-response-surrogates",
            "cuts the text of a response by UTF-16 units",
            |visit| torn(visit, "\\ud83d", "\\udc4b"),
        ),
    ],
};

fn torn(visit: &Visit<'_>, first: &str, second: &str) -> Plan {
    rewritten_raw(visit, |event| {
        if !event.data.contains(" 👋🏽") {
            return vec![event];
        }
        let with =
            |half: &str| Written { data: event.data.replace(" 👋🏽", half), ..event.clone() };
        match event.data.contains("\"delta\"") {
            true => vec![with(first), with(second)],
            false => vec![with("\u{FFFD}\u{FFFD}")],
        }
    })
}

/// The same as [`rewritten`], for payloads that are no good JSON any more.
fn rewritten_raw(visit: &Visit<'_>, mut edit: impl FnMut(Written) -> Vec<Written>) -> Plan {
    let mut number = 0;
    super::edit_events(rewritten(visit, |_, event| vec![event]), |_, event| {
        let edited = edit(event).into_iter().map(|event| {
            let (before, rest) =
                event.data.split_once("\"sequence_number\":").unwrap_or((&event.data, ""));
            let rest = rest.trim_start_matches(|char: char| char.is_ascii_digit());
            let data = format!("{before}\"sequence_number\":{number}{rest}");
            number += 1;
            Written { data, ..event }
        });
        edited.collect()
    })
}

fn fragments(view: &crate::View<'_>) -> Vec<Fragment> {
    let stream = Typed::of(view);
    let deltas = stream.pieces.iter().filter_map(|piece| {
        let kind = piece.kind().strip_suffix(".delta")?;
        let text = piece.json["delta"].as_str()?;
        let place = ["output_index", "content_index", "summary_index"];
        let of = format!("{kind} {:?}", place.map(|name| piece.number(name)));
        Some(Fragment::new(piece.offset, of, text, piece.data))
    });
    deltas.collect()
}
