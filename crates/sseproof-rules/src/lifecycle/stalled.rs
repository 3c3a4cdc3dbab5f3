//! A client that was served, and then reads nothing.

use std::time::Duration;

use crate::View;

/// Why a client of which [`heard_before`] does not hold proves nothing.
pub(super) const NEVER_SERVED: &str =
    "who was to read nothing got nothing of what was published before, either";

/// Whether the client got an event by then.
pub(super) fn heard_before(view: &View<'_>, stalled_at: Duration) -> bool {
    view.events().any(|(_, at)| at <= stalled_at)
}
