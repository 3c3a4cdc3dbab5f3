//! For references and mutants: plans made of events, and changes to their events.

use std::time::Duration;

use serde_json::Value;
use sseproof_codec::{Frame, Item, decode, encode};
use sseproof_http::{Action, Answer, Bytes, Plan, Request, Visit};

use crate::reference;

/// The time between two events of a reference.
const PACE: Duration = Duration::from_millis(50);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) event: Option<String>,
    pub(super) id: Option<String>,
    pub(super) data: String,
}

impl Written {
    /// An event with only a payload.
    pub(super) fn data(data: impl ToString) -> Self {
        Self { data: data.to_string(), ..Self::default() }
    }

    pub(super) fn named(event: &str, data: impl ToString) -> Self {
        Self { event: Some(event.to_owned()), ..Self::data(data) }
    }

    /// Whether this is its name, or part of its data.
    fn has(&self, of: &str) -> bool {
        self.event.as_deref() == Some(of) || self.data.contains(of)
    }

    /// Its bytes with the blank line.
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

pub(super) fn stream(visit: &Visit<'_>, events: impl IntoIterator<Item = Written>) -> Plan {
    let mut actions = vec![reference::head(visit)];
    for event in events {
        actions.extend([Action::Wait(PACE), Action::Write(event.bytes()), Action::Flush]);
    }
    actions.push(Action::Finish);
    Plan { actions }
}

/// For mutants: changes to the plan of a reference.
///
/// `of` picks the events that have this name, or this text in their data; an empty one picks all.
pub(super) trait Changed: Sized {
    /// Each written or published event replaced by the result of `edit`, which also gets its index;
    /// other bytes stay.
    fn events(self, edit: impl FnMut(usize, Written) -> Vec<Written>) -> Self;

    /// The JSON payload of each event changed.
    fn json(self, mut edit: impl FnMut(usize, &mut Value)) -> Self {
        self.events(|index, mut event| {
            if let Ok(mut value) = serde_json::from_str(&event.data) {
                edit(index, &mut value);
                event.data = value.to_string();
            }
            vec![event]
        })
    }

    /// Each picked event replaced by the result of `edit`.
    fn replaced(self, of: &str, mut edit: impl FnMut(Written) -> Vec<Written>) -> Self {
        self.events(|_, event| if event.has(of) { edit(event) } else { vec![event] })
    }

    /// The members at these JSON pointers set, in the picked events that have their parents.
    fn set(self, of: &str, at: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.changed(of, at, |_| value.clone())
    }

    /// The members there replaced by the result of `edit`, which gets null for a missing one.
    fn changed(self, of: &str, at: &str, mut edit: impl FnMut(&Value) -> Value) -> Self {
        let (parent, name) = at.rsplit_once('/').unwrap_or(("", at));
        let change = |mut event: Written| {
            if let Ok(mut value) = serde_json::from_str::<Value>(&event.data)
                && let Some(parent) = value.pointer_mut(parent).filter(|found| found.is_object())
            {
                parent[name] = edit(&parent[name]);
                event.data = value.to_string();
            }
            vec![event]
        };
        self.replaced(of, change)
    }

    /// The picked events left out.
    fn without(self, of: &str) -> Self {
        self.replaced(of, |_| Vec::new())
    }

    /// The picked events sent twice.
    fn twice(self, of: &str) -> Self {
        self.replaced(of, |event| vec![event.clone(), event])
    }

    /// This event before each picked one.
    fn preceded_by(self, of: &str, new: &Written) -> Self {
        self.replaced(of, |event| vec![new.clone(), event])
    }

    /// This event after each picked one.
    fn followed_by(self, of: &str, new: &Written) -> Self {
        self.replaced(of, |event| vec![event, new.clone()])
    }

    fn instead_of(self, status: u16, plan: impl FnOnce() -> Plan) -> Self;

    fn answering(self, answer: Plan) -> Self;

    /// The first `count` events, then this one and no more.
    fn broken_off(self, count: usize, last: &Written) -> Self {
        self.events(|index, event| match index {
            _ if index < count => vec![event],
            _ if index == count => vec![last.clone()],
            _ => Vec::new(),
        })
    }
}

impl Changed for Plan {
    fn instead_of(self, refused: u16, plan: impl FnOnce() -> Plan) -> Self {
        if status(&self) == refused { plan() } else { self }
    }

    fn answering(mut self, answer: Plan) -> Self {
        self.actions.retain(|action| matches!(action, Action::Publish { .. }));
        self.actions.extend(answer.actions);
        self
    }

    fn events(self, mut edit: impl FnMut(usize, Written) -> Vec<Written>) -> Self {
        let mut index = 0;
        let mut actions = Vec::new();
        for action in self.actions {
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
        Self { actions }
    }
}

/// For mutants: the response of the server to the request as changed by `edit`.
pub(super) fn mistaken(serve: Answer, visit: &Visit<'_>, edit: impl FnOnce(&mut Request)) -> Plan {
    let mut request = visit.request.clone();
    edit(&mut request);
    serve(&Visit { request: &request, ..*visit })
}

/// For mutants: the response of the server, but this plan for requests with that method.
pub(super) fn but_to(method: &str, plan: Plan, serve: Answer, visit: &Visit<'_>) -> Plan {
    if visit.request.method == method { plan } else { serve(visit) }
}

/// For mutants: the response of frameworks for unregistered paths.
pub(super) fn not_found() -> Plan {
    Plan::answer(404, "text/plain", "not found\n")
}

/// For mutants: the plan with one token split into two halves.
pub(super) fn torn(plan: Plan, first: &str, second: &str) -> Plan {
    const WHOLE: &str = " 👋🏽";
    plan.replaced(WHOLE, |event| {
        let with = |half| Written { data: event.data.replace(WHOLE, half), ..event.clone() };
        vec![with(first), with(second)]
    })
}

/// The status of the response; 0 without response headers.
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
