//! Rules on the reconnection of a client.

mod after_end;

use crate::registry::Family;
use crate::{Case, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family { rules: &[&after_end::RULE], cases: &[&AFTER_END] };

/// Its first return is the pace of the client, too.
pub(crate) const AFTER_END: Case = Case::new(
    "end",
    "the server ends the stream, and the next one stays open",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\nid: 1\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Events(2), Quiet::Short);
