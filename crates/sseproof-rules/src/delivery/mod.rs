//! Rules on how events get through: at once, to every subscriber, and across quiet times.

pub(crate) mod arrivals;
mod away;
mod compressed;
pub(crate) mod corked;
mod every_subscriber;
pub(crate) mod figures;
pub(crate) mod heartbeat;
mod latency;
pub(crate) mod mutants;
pub(crate) mod one_by_one;
mod over_restart;
pub(crate) mod second_subscriber;
pub(crate) mod sendings;
mod time_to_first_event;
mod time_to_head;
mod way_back;
mod while_away;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &one_by_one::RULE,
        &corked::RULE,
        &compressed::RULE,
        &second_subscriber::RULE,
        &heartbeat::RULE,
        &time_to_head::RULE,
        &time_to_first_event::RULE,
        &latency::RULE,
        &every_subscriber::RULE,
        &while_away::RULE,
        &over_restart::RULE,
        &way_back::RULE,
    ],
};
