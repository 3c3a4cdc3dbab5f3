//! Rules on ids, and on the events that a client gets when it resumes after one.

mod after_restart;
mod honoured;
mod ids_present;
mod no_duplicates;
mod no_gap;
mod no_loss;
mod odd_id;
mod odd_ids;
mod order;
mod resumption;
mod same_event;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &ids_present::RULE,
        &honoured::RULE,
        &no_loss::RULE,
        &no_gap::RULE,
        &no_duplicates::RULE,
        &order::RULE,
        &same_event::RULE,
        &after_restart::RULE,
        &odd_ids::UNKNOWN,
        &odd_ids::EMPTY,
        &odd_ids::LONG,
        &odd_ids::NON_ASCII,
    ],
};
