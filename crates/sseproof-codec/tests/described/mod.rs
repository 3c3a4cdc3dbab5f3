//! Items as JSON.

use serde_json::{Value, json};
use sseproof_codec::{Anomaly, Item};

/// The items in the words of the corpus.
pub(crate) fn described(items: &[Item<'_>]) -> Value {
    let mut described = json!({ "events": [], "comments": [], "anomalies": [] });
    for item in items {
        let (part, value) = match item {
            Item::Event(event) => (
                "events",
                json!({
                    "type": event.event_type,
                    "data": event.data,
                    "lastEventId": event.last_event_id,
                }),
            ),
            Item::Comment(comment) => ("comments", json!(comment.text)),
            Item::Anomaly(Anomaly { kind, span }) => {
                ("anomalies", json!({ "kind": kind, "offset": span.start }))
            }
            _ => continue,
        };
        described[part].as_array_mut().expect("an array").push(value);
    }
    described
}
