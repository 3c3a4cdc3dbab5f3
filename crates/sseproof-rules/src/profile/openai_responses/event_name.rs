//! The field `event` says what `type` says.

use super::rewritten;
use crate::profile::typed::names;
use crate::profile::written::Written;
use crate::{Mutant, Rule};

pub(super) const RULE: Rule = Rule {
    id: "openai-responses/event-name",
    judge: names,
    mutants: &[
        Mutant::new("unnamed-events", "writes its events without a name", |visit| {
            rewritten(visit, |_, event| vec![Written { event: None, ..event }])
        }),
        Mutant::new(
            "names-without-prefix",
            "names its events without the prefix that their type has",
            |visit| {
                rewritten(visit, |_, event| {
                    let name = event.event.as_deref().unwrap_or_default();
                    let short = name.trim_start_matches("response.").to_owned();
                    vec![Written { event: Some(short), ..event }]
                })
            },
        ),
    ],
};
