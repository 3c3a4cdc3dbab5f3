//! The field `event` says what `type` says.

use super::rewritten;
use crate::profile::typed::names;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/event-name",
    requirement: "anthropic-messages/event-name",
    title: "the `event` field of each event is the `type` in its data",
    why: "The official libraries choose by the name of the event and drop those without one: the whole message is lost, and no error is raised.",
    fix: "Write `event: ` with the very `type` of the object, for each event.",
    recipes: &[],
    judge: names,
    mutants: &[Mutant {
        id: "unnamed-message-events",
        wrong: "writes the events of a message without a name",
        serve: |visit| rewritten(visit, |_, event| vec![Written { event: None, ..event }]),
    }],
};
