//! Rules on ids, and on what a client gets when it comes back with one.

mod empty_id;
mod honoured;
mod ids_present;
mod long_id;
mod no_duplicates;
mod no_loss;
mod non_ascii_id;
mod odd_id;
mod order;
mod resumption;
mod same_event;
mod unknown_id;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &ids_present::RULE,
        &honoured::RULE,
        &no_loss::RULE,
        &no_duplicates::RULE,
        &order::RULE,
        &same_event::RULE,
        &unknown_id::RULE,
        &empty_id::RULE,
        &long_id::RULE,
        &non_ascii_id::RULE,
    ],
};
