//! The last event ID goes over the wire as UTF-8.

use super::sends;
use crate::{Hooks, Mutant, REFERENCE, Rule};

pub(super) const LATIN: &str = "zähler-7";
pub(super) const BEYOND_LATIN: &str = "番号-7";

pub(super) const RULE: Rule = Rule {
    id: "client/last-event-id-utf8",
    cases: &["id-latin", "id-beyond-latin"],
    judge: |view| {
        let id = if view.case() == "id-latin" { LATIN } else { BEYOND_LATIN };
        let cause = format!("after the id {id}, which is not its UTF-8");
        sends(view, 3, id.as_bytes(), &cause, "Last-Event-ID is sent as UTF-8")
    },
    mutants: &[Mutant::new(
        "id-as-latin-1",
        "sends Last-Event-ID as Latin-1, with question marks for other letters",
        Hooks {
            request: |state| {
                let mut request = crate::client::request(state);
                let latin = |letter: char| u8::try_from(letter).unwrap_or(b'?');
                let id: Vec<u8> = state.last_event_id.chars().map(latin).collect();
                if !id.is_empty() {
                    request.headers.set("Last-Event-ID", id);
                }
                request
            },
            ..REFERENCE
        },
    )],
};
