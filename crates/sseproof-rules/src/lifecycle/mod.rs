//! Rules on what a server keeps of its clients: while they are there, and when they have left.

mod after_pause;
mod bounded;
mod capacity;
pub(crate) mod leaving;
mod no_leak;
mod same_session;
mod shutdown;
mod slow_reader;
mod stalled;
pub(crate) mod stops;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &stops::ON_CLOSE,
        &stops::ON_RESET,
        &stops::WHEN_IDLE,
        &stops::AFTER_HEAD,
        &no_leak::RULE,
        &same_session::RULE,
        &capacity::RULE,
        &slow_reader::RULE,
        &after_pause::RULE,
        &bounded::RULE,
        &shutdown::RULE,
    ],
};
