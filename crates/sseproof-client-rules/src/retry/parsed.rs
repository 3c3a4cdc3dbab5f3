//! A reconnection time counts wherever it stands, if it has digits only.

use std::time::Duration;

use sseproof_codec::Item;

use super::{ANNOUNCED, SLACK, waits};
use crate::{Hooks, Judgement, Mutant, REFERENCE, Rule, View};

pub(super) const OWN_BLOCK: Rule = Rule {
    id: "client/retry-own-block",
    cases: &["retry-own-block"],
    judge: |view| again(view, "`retry: 700` was announced in a block without data"),
    mutants: &[Mutant::new(
        "retry-with-data-only",
        "heeds a reconnection time only if it stands in a block with data",
        Hooks {
            dispatch: |state, item| match item {
                Item::Retry(retry) => {
                    state.held = retry.millis.to_be_bytes().to_vec();
                    Vec::new()
                }
                Item::Event(_) => {
                    if let Ok(millis) = <[u8; 8]>::try_from(state.held.as_slice()) {
                        state.retry = Duration::from_millis(u64::from_be_bytes(millis));
                    }
                    state.held.clear();
                    crate::client::dispatch(state, item)
                }
                Item::EmptyBlock(_) => {
                    state.held.clear();
                    Vec::new()
                }
                _ => crate::client::dispatch(state, item),
            },
            ..REFERENCE
        },
    )],
};

pub(super) const DIGITS: Rule = Rule {
    id: "client/retry-digits",
    cases: &["retry-invalid", "retry-zeros"],
    judge: |view| match view.case() {
        "retry-zeros" => again(view, "`retry: 0700` was announced"),
        _ => again(view, "`retry: 700` was announced, then values that are not digits"),
    },
    mutants: &[
        Mutant::new(
            "retry-by-parse-int",
            "reads `retry: 5x` as 5 ms",
            Hooks { received: |_, bytes, _| replaced(bytes, "retry: 5x", "retry: 5"), ..REFERENCE },
        ),
        Mutant::new(
            "retry-negative",
            "reads `retry: -1` as 0 ms",
            Hooks { received: |_, bytes, _| replaced(bytes, "retry: -1", "retry: 0"), ..REFERENCE },
        ),
        Mutant::new(
            "retry-octal",
            "reads `retry: 0700` as 448 ms",
            Hooks {
                received: |_, bytes, _| replaced(bytes, "retry: 0700", "retry: 448"),
                ..REFERENCE
            },
        ),
    ],
};

fn replaced(bytes: &[u8], find: &str, with: &str) -> Vec<u8> {
    // The cases of these mutants have ASCII only.
    match std::str::from_utf8(bytes) {
        Ok(text) => text.replace(find, with).into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}

fn again(view: &View<'_>, how: &str) -> Judgement {
    match view.pause(1) {
        None => Judgement::not_reconnected(),
        Some(pause) if pause.what + SLACK < ANNOUNCED => {
            Judgement::Unclear("the client does not heed a reconnection time".to_owned())
        }
        Some(_) => waits(view, 2, how),
    }
}
