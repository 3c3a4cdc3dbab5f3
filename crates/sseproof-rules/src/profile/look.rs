//! Judges the exchanges of a profile one by one.

use crate::outcome::each_once;
use crate::stream::tally::{self, Tally};
use crate::{Fault, Place, Record, Verdict, View};

/// Judges each stream. `noun` names the things that `look` counts, in the singular; `none` is the
/// reason to skip if there are none.
pub(super) fn each_stream<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    let views: Vec<_> = record.streams().collect();
    each(&views, noun, none, look)
}

/// The same for any exchanges.
pub(super) fn each<'r>(
    views: &[View<'r>],
    noun: &str,
    none: &str,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    // The same fault in several responses is one fault.
    tally::each(views, noun, none, each_once, look)
}

/// The exchanges with a response that are `wanted`.
pub(super) fn answered<'r>(
    record: &'r Record<'_>,
    wanted: impl Fn(&View<'r>) -> bool,
) -> Vec<View<'r>> {
    record.all().filter(|view| view.head.is_some() && wanted(view)).collect()
}

/// Judges whether the status of each of these exchanges fits; `None` leaves one out. `what` names the
/// request in messages.
pub(super) fn statuses(
    views: &[View<'_>],
    noun: &str,
    what: &str,
    none: &str,
    fits: impl Fn(u16) -> Option<bool>,
) -> Verdict {
    each(views, noun, none, |view, tally| {
        let status = view.status().unwrap_or_default();
        let Some(fits) = fits(status) else { return };
        tally.look();
        if !fits {
            let stream = if view.is_stream() { " and an event stream" } else { "" };
            let message = format!("{what} is answered with {status}{stream}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
        }
    })
}
