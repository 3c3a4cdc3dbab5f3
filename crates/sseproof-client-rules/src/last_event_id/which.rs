//! Which ids count: those of finished blocks, with data or without, and none with a NUL.

use sseproof_codec::Item;

use super::sends;
use crate::{Hooks, Mutant, REFERENCE, Rule};

pub(super) const WITHOUT_DATA: Rule = Rule {
    id: "client/last-event-id-without-data",
    cases: &["id-without-data"],
    judge: |view| {
        let note = "the id of a block without data counts";
        sends(view, 2, b"2", "after a block with the id 2 and without data", note)
    },
    mutants: &[Mutant::new(
        "ids-of-events-only",
        "remembers the ids of events only",
        Hooks {
            dispatch: |state, item| {
                if let Item::Event(event) = item {
                    state.held = event.last_event_id.as_bytes().to_vec();
                }
                crate::client::dispatch(state, item)
            },
            remember: |state, id| match state.events {
                0 => id.to_owned(),
                _ => String::from_utf8_lossy(&state.held).into_owned(),
            },
            ..REFERENCE
        },
    )],
};

pub(super) const UNFINISHED: Rule = Rule {
    id: "client/last-event-id-unfinished",
    cases: &["id-unfinished"],
    judge: |view| {
        let note = "the id of an unfinished block does not count";
        sends(view, 2, b"1", "after a block with the id 2 that had not ended", note)
    },
    mutants: &[Mutant::new(
        "ids-of-unfinished-blocks",
        "remembers the id of a block that has not ended",
        Hooks {
            received: |state, bytes, _| {
                let lines = bytes.split(|byte| *byte == b'\n');
                let mut ids = lines.filter_map(|line| line.strip_prefix(b"id: "));
                if let Some(id) = ids.rfind(|id| !id.contains(&0)) {
                    state.held = id.to_vec();
                }
                bytes.to_vec()
            },
            remember: |state, id| match id {
                "" => String::new(),
                _ => String::from_utf8_lossy(&state.held).into_owned(),
            },
            ..REFERENCE
        },
    )],
};

pub(super) const NUL: Rule = Rule {
    id: "client/last-event-id-nul",
    cases: &["id-nul"],
    judge: |view| sends(view, 2, b"1", "after an id with a NUL", "an id with a NUL does not count"),
    mutants: &[Mutant::new(
        "cuts-ids-at-nul",
        "takes the part of an id before a NUL",
        Hooks {
            received: |_, bytes, _| match bytes.windows(5).position(|part| part == b"id: 2") {
                Some(at) if bytes.get(at + 5) == Some(&0) => {
                    let rest = bytes[at + 5..].iter().position(|byte| *byte == b'\n');
                    let rest = rest.map_or(&[][..], |end| &bytes[at + 5 + end..]);
                    [&bytes[..at + 5], rest].concat()
                }
                _ => bytes.to_vec(),
            },
            ..REFERENCE
        },
    )],
};
