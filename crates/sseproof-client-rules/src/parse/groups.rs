//! The rules on groups of streams of the corpus.

use sseproof_codec::Item;

use super::judge;
use crate::protocol::{Call, Event};
use crate::{Hooks, Mutant, REFERENCE, Rule, State};

const fn rule(
    id: &'static str,
    cases: &'static [&'static str],
    mutants: &'static [Mutant],
) -> Rule {
    Rule { id, cases, judge, mutants }
}

/// The calls for an item, with each event changed.
fn changed(state: &mut State, item: &Item<'_>, change: impl Fn(&mut Event)) -> Vec<Call> {
    let mut calls = crate::client::dispatch(state, item);
    for call in &mut calls {
        if let Call::Event(event) = call {
            change(event);
        }
    }
    calls
}

fn empty() -> Call {
    Call::Event(Event {
        event_type: "message".to_owned(),
        data: String::new(),
        last_event_id: Some(String::new()),
        origin: None,
    })
}

pub(super) const LINE_ENDS: Rule = rule(
    "client/parse-line-ends",
    &["parse-line-ends"],
    &[Mutant::new(
        "knows-no-cr",
        "does not take a CR for the end of a line",
        Hooks {
            received: |_, bytes, _| bytes.iter().copied().filter(|&byte| byte != b'\r').collect(),
            ..REFERENCE
        },
    )],
);

pub(super) const CHUNKS: Rule = rule(
    "client/parse-chunks",
    &["parse-chunks"],
    &[
        Mutant::new(
            "decodes-pieces",
            "decodes each piece of the response by itself, also within a character",
            Hooks {
                received: |_, bytes, _| String::from_utf8_lossy(bytes).into_owned().into_bytes(),
                ..REFERENCE
            },
        ),
        Mutant::new(
            "two-ends",
            "takes a CRLF for two line ends if a piece ends between them",
            Hooks {
                received: |state, bytes, _| {
                    let ends_with_cr = std::mem::take(&mut state.held) == b"\r";
                    state.held.extend(bytes.last());
                    let more: &[u8] =
                        if ends_with_cr && bytes.starts_with(b"\n") { b"\n" } else { b"" };
                    [more, bytes].concat()
                },
                ..REFERENCE
            },
        ),
    ],
);

pub(super) const BOM: Rule = rule(
    "client/parse-bom",
    &["parse-bom"],
    &[Mutant::new(
        "keeps-bom",
        "takes a byte order mark at the start for a part of the first line",
        Hooks {
            received: |state, bytes, _| {
                let is_first = state.held.is_empty() && !bytes.is_empty();
                state.held = b"begun".to_vec();
                let before: &[u8] =
                    if is_first && bytes.starts_with(b"\xEF\xBB\xBF") { b"\n" } else { b"" };
                [before, bytes].concat()
            },
            ..REFERENCE
        },
    )],
);

pub(super) const UTF8: Rule = rule(
    "client/parse-utf8",
    &["parse-utf8"],
    &[Mutant::new(
        "drops-invalid",
        "drops invalid bytes in the place of U+FFFD",
        Hooks {
            dispatch: |state, item| {
                changed(state, item, |event| event.data = event.data.replace('\u{FFFD}', ""))
            },
            ..REFERENCE
        },
    )],
);

pub(super) const DATA: Rule = rule(
    "client/parse-data",
    &["parse-data"],
    &[Mutant::new(
        "joins-lines",
        "joins the lines of data without a line end",
        Hooks {
            dispatch: |state, item| {
                changed(state, item, |event| event.data = event.data.replace('\n', ""))
            },
            ..REFERENCE
        },
    )],
);

pub(super) const DISPATCH: Rule = rule(
    "client/parse-dispatch",
    &["parse-dispatch"],
    &[Mutant::new(
        "keeps-type",
        "keeps the type of an event for the next one",
        Hooks {
            dispatch: |state, item| {
                let before = String::from_utf8_lossy(&state.held).into_owned();
                let calls = changed(state, item, |event| {
                    if event.event_type == "message" && !before.is_empty() {
                        event.event_type.clone_from(&before);
                    }
                });
                if let Item::Event(event) = item
                    && event.event_type != "message"
                {
                    state.held = event.event_type.as_bytes().to_vec();
                }
                calls
            },
            ..REFERENCE
        },
    )],
);

pub(super) const NO_DATA: Rule = rule(
    "client/parse-no-data",
    &["parse-no-data"],
    &[Mutant::new(
        "delivers-empty-blocks",
        "delivers an event for a block without data",
        Hooks {
            dispatch: |state, item| match item {
                Item::EmptyBlock(_) => vec![empty()],
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
);

pub(super) const FIELDS: Rule = rule(
    "client/parse-fields",
    &["parse-fields"],
    &[Mutant::new(
        "trims-values",
        "removes all spaces at the start of a value",
        Hooks {
            dispatch: |state, item| {
                changed(state, item, |event| {
                    event.data = event.data.trim_start_matches(' ').to_owned()
                })
            },
            ..REFERENCE
        },
    )],
);

pub(super) const COMMENTS: Rule = rule(
    "client/parse-comments",
    &["parse-comments"],
    &[Mutant::new(
        "delivers-comments",
        "delivers an event for a comment that looks like a field",
        Hooks {
            dispatch: |state, item| match item {
                Item::Comment(comment) if comment.text.contains("data:") => vec![empty()],
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
);

pub(super) const IDS: Rule = rule(
    "client/parse-ids",
    &["parse-ids"],
    &[Mutant::new(
        "id-of-block",
        "reports an id only for the event whose block has it",
        Hooks {
            dispatch: |state, item| {
                let sets_id = matches!(item, Item::Event(event) if event.sets_id);
                changed(state, item, |event| {
                    if !sets_id {
                        event.last_event_id = Some(String::new());
                    }
                })
            },
            ..REFERENCE
        },
    )],
);

pub(super) const EVENT_TYPES: Rule = rule(
    "client/parse-event-types",
    &["parse-event-types"],
    &[Mutant::new(
        "lower-case-types",
        "changes event types to lower case",
        Hooks {
            dispatch: |state, item| {
                changed(state, item, |event| event.event_type.make_ascii_lowercase())
            },
            ..REFERENCE
        },
    )],
);

pub(super) const END: Rule = rule(
    "client/parse-end",
    &["parse-end"],
    &[Mutant::new(
        "flushes-last-block",
        "delivers the last block of a stream without its blank line",
        Hooks {
            received: |_, bytes, last| match last {
                true => [bytes, b"\n\n"].concat(),
                false => bytes.to_vec(),
            },
            ..REFERENCE
        },
    )],
);
