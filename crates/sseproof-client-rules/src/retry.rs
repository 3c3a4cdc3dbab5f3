//! Rules on the reconnection time.

mod heeded;

use crate::registry::Family;
use crate::{Case, Quiet, When, stream};

pub(crate) const FAMILY: Family = Family { rules: &[&heeded::RULE], cases: &[&HEEDED] };

const HEEDED: Case = Case::new(
    "retry",
    "the server announces `retry: 700` and ends the stream",
    |visit| match visit.earlier {
        0 => stream().write("retry: 700\ndata: one\n\n").end(),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.reconnecting()
.until(When::Requests(2), Quiet::Short);
