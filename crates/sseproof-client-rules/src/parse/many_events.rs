//! Many events are delivered, each once and in order.

use std::time::Duration;

use crate::{Case, Fault, Hooks, Judgement, Mutant, Quiet, REFERENCE, Rule, View, When, stream};

const EVENTS: usize = 10_000;
/// How many are written together.
const TOGETHER: usize = 100;

pub(super) const CASE: Case = Case::new(
    "parse-many-events",
    "the server sends 10,000 events as fast as the client reads",
    |_| {
        let mut answer = stream();
        for first in (0..EVENTS).step_by(TOGETHER) {
            let events = first..first + TOGETHER;
            let events: String = events.map(|number| format!("data: {number}\n\n")).collect();
            answer = answer.write(events);
        }
        answer.hold()
    },
)
.alone()
.patient(Duration::from_secs(5))
.until(When::Events(EVENTS), Quiet::Short);

pub(super) const RULE: Rule = Rule {
    id: "client/parse-many-events",
    cases: &["parse-many-events"],
    judge,
    mutants: &[Mutant::new(
        "loses-events",
        "loses the events after the 5,000th",
        Hooks {
            call: |state, call| if state.events >= 5000 { Vec::new() } else { vec![call] },
            ..REFERENCE
        },
    )],
};

fn judge(view: &View<'_>) -> Judgement {
    let events = view.events();
    let wrong =
        events.iter().zip(0..).find(|(event, number)| event.what.data != number.to_string());
    if let Some((event, number)) = wrong {
        let message =
            format!("event {number} is expected, and \"{}\" is delivered", event.what.data);
        return Fault::at(event.entry, message).into();
    }
    if events.len() != EVENTS {
        let message = format!("{} of {EVENTS} events are delivered", events.len());
        return Fault::missing(message).into();
    }
    Judgement::held("10,000 events in order")
}
