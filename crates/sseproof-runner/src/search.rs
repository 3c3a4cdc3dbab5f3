//! The search for what a step expects in a stream.

use std::time::Duration;

use sseproof_codec::Item;
use sseproof_files::model::RetryMatcher;

use super::evidence::About;
use super::expectation::{EventExpectation, Expectation};
use super::scenario_run::Consumed;

pub(super) enum ExpectedItem {
    Event(Box<EventExpectation>),
    Comment(Expectation),
    Retry(RetryMatcher),
}

/// A search that continues as items arrive; it looks at each item once.
#[derive(Debug, Default)]
pub(super) struct Search {
    looked: usize,
    pub(super) of_kind: usize,
    /// The number of matches after the items that earlier steps consumed.
    pub(super) found: usize,
    /// Whether another one came first, although the next one had to match.
    pub(super) another: bool,
}

impl Search {
    /// Looks at the new items; returns whether the search is over.
    pub(super) fn go_on(
        &mut self,
        sought: &ExpectedItem,
        items: &[(Duration, Item<'static>)],
        passed: usize,
        (count, next): (usize, bool),
    ) -> bool {
        while self.found < count && !self.another {
            let Some((_, item)) = items.get(self.looked) else { return false };
            self.looked += 1;
            if !sought.covers(item) {
                continue;
            }
            self.of_kind += 1;
            if self.of_kind <= passed {
                continue;
            }
            if sought.fits(item) {
                self.found += 1;
            } else if next {
                self.another = true;
            }
        }
        true
    }
}

impl ExpectedItem {
    fn covers(&self, item: &Item<'_>) -> bool {
        self.about().covers(item)
    }

    fn fits(&self, item: &Item<'_>) -> bool {
        match (self, item) {
            (Self::Event(wanted), Item::Event(event)) => wanted.fits(event),
            // As with fields, the space after the colon is not part of the value.
            (Self::Comment(wanted), Item::Comment(comment)) => {
                wanted.fits(comment.text.strip_prefix(' ').unwrap_or(&comment.text))
            }
            (Self::Retry(wanted), Item::Retry(retry)) => {
                wanted.fits(Duration::from_millis(retry.millis))
            }
            _ => false,
        }
    }

    /// The number of items of the kind that earlier steps consumed.
    pub(super) fn passed<'p>(&self, passed: &'p mut Consumed) -> &'p mut usize {
        match self {
            Self::Event(_) => &mut passed.events,
            Self::Comment(_) => &mut passed.comments,
            Self::Retry(_) => &mut passed.retries,
        }
    }

    /// `an event with data equal to "missed"`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Event(wanted) => wanted.describe(),
            Self::Comment(wanted) => wanted.describe("a comment"),
            Self::Retry(RetryMatcher { at_least, at_most }) => match (at_least, at_most) {
                (Some(least), Some(most)) if least == most => format!("a retry of {:?}", least.0),
                (Some(least), Some(most)) => {
                    format!("a retry between {:?} and {:?}", least.0, most.0)
                }
                (Some(least), None) => format!("a retry of at least {:?}", least.0),
                (None, Some(most)) => format!("a retry of at most {:?}", most.0),
                (None, None) => "a retry".to_owned(),
            },
        }
    }

    pub(super) fn about(&self) -> About {
        match self {
            Self::Event(_) => About::Events,
            Self::Comment(_) => About::Comments,
            Self::Retry(_) => About::Retries,
        }
    }
}
