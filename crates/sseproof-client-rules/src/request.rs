//! Rules on the requests of a client.

mod last_event_id_first;

use crate::registry::Family;
use crate::{Case, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family { rules: &[&last_event_id_first::RULE], cases: &[&PLAIN] };

/// The stream that every client can read; without it, nothing of an adapter is believed.
pub(crate) const PLAIN: Case =
    Case::new("plain", "the server sends two events and stays open", |_| {
        stream().write("data: one\n\n").wait(20).write("data: two\n\n").hold()
    })
    .until(When::Events(2), Quiet::Short);
