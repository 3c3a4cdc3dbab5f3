//! For references and mutants: plans made of events, and plans whose events are changed.

use std::time::Duration;

use sseproof_codec::{Frame, Item, decode, encode};
use sseproof_record::{Action, Bytes, Plan, Visit};

use crate::reference;

/// The time between two events of a reference.
const PACE: Duration = Duration::from_millis(50);

/// An event that is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Its type, where it names one.
    pub(super) event: Option<String>,
    /// Its id, where it has one.
    pub(super) id: Option<String>,
    /// Its payload.
    pub(super) data: String,
}

impl Written {
    /// An event with nothing but a payload.
    pub(super) fn data(data: impl ToString) -> Self {
        Self { data: data.to_string(), ..Self::default() }
    }

    /// An event of that type.
    pub(super) fn named(event: &str, data: impl ToString) -> Self {
        Self { event: Some(event.to_owned()), ..Self::data(data) }
    }

    /// Its bytes, blank line and all.
    pub(super) fn bytes(&self) -> Bytes {
        let frame = Frame {
            event: self.event.as_deref(),
            id: self.id.as_deref(),
            data: Some(&self.data),
            ..Frame::default()
        };
        let mut bytes = Vec::new();
        // The events of references and mutants have names and ids without line ends.
        let encoded = encode(&frame, &mut bytes);
        debug_assert_eq!(encoded, Ok(()));
        Bytes::from(bytes)
    }
}

/// A stream of these events that then ends.
pub(super) fn stream(visit: &Visit<'_>, events: impl IntoIterator<Item = Written>) -> Plan {
    let mut actions = vec![reference::head(visit)];
    for event in events {
        actions.extend([Action::Wait(PACE), Action::Write(event.bytes()), Action::Flush]);
    }
    actions.push(Action::Finish);
    Plan { actions }
}

/// The plan with each event that it writes or publishes replaced by what `edit` makes of it, which
/// is told its index; what is no event stays as it is.
pub(super) fn edit_events(
    plan: Plan,
    mut edit: impl FnMut(usize, Written) -> Vec<Written>,
) -> Plan {
    let mut index = 0;
    let mut actions = Vec::new();
    for action in plan.actions {
        let (found, topic) = match &action {
            Action::Write(bytes) => (event(bytes), None),
            Action::Publish { topic, bytes } => (event(bytes), Some(topic.clone())),
            _ => (None, None),
        };
        let Some(event) = found else {
            actions.push(action);
            continue;
        };
        for event in edit(index, event) {
            let bytes = event.bytes();
            match topic.clone() {
                Some(topic) => actions.push(Action::Publish { topic, bytes }),
                None => actions.extend([Action::Write(bytes), Action::Flush]),
            }
        }
        index += 1;
    }
    Plan { actions }
}

/// The same, where each event stays one and only its payload changes, which is JSON.
pub(super) fn edit_json(plan: Plan, mut edit: impl FnMut(usize, &mut serde_json::Value)) -> Plan {
    edit_events(plan, |index, mut event| {
        if let Ok(mut value) = serde_json::from_str(&event.data) {
            edit(index, &mut value);
            event.data = value.to_string();
        }
        vec![event]
    })
}

/// The status that the plan answers with; 0 without a head.
pub(super) fn status(plan: &Plan) -> u16 {
    let mut statuses = plan.actions.iter().filter_map(|action| match action {
        Action::Head { status, .. } => Some(*status),
        _ => None,
    });
    statuses.next().unwrap_or_default()
}

fn event(bytes: &[u8]) -> Option<Written> {
    let items = decode(bytes);
    let mut events = items.iter().filter_map(|item| match item {
        Item::Event(event) => Some(event),
        _ => None,
    });
    let event = events.next()?;
    let is_named = bytes.starts_with(b"event:") || bytes.windows(7).any(|at| at == b"\nevent:");
    Some(Written {
        event: is_named.then(|| event.event_type.to_string()),
        id: event.sets_id.then(|| event.last_event_id.to_string()),
        data: event.data.to_string(),
    })
}
