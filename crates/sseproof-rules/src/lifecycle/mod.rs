//! Rules on what a server keeps of its clients: while they are there, and when they have left.

mod bounded;
mod head_stops;
pub(crate) mod leaving;
mod no_leak;
mod slow_reader;
mod stalled;
mod stops_idle;
mod stops_on_close;
mod stops_on_reset;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &stops_on_close::RULE,
        &stops_on_reset::RULE,
        &stops_idle::RULE,
        &head_stops::RULE,
        &no_leak::RULE,
        &slow_reader::RULE,
        &bounded::RULE,
    ],
};
