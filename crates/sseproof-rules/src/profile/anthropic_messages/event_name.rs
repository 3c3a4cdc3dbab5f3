//! The field `event` says what `type` says.

use super::rewritten;
use crate::profile::typed::names;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "anthropic-messages/event-name",
    judge: names,
    mutants: &[Mutant::new(
        "unnamed-message-events",
        "writes the events of a message without a name",
        |visit| rewritten(visit, |_, event| vec![Written { event: None, ..event }]),
    )],
};
