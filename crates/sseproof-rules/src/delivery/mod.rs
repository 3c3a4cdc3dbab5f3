//! Rules on how events get through: at once, to everybody, and across quiet times.

mod compressed;
pub(crate) mod figures;
mod heartbeat;
mod mutants;
pub(crate) mod one_by_one;
mod second_subscriber;
mod time_to_first_event;
mod time_to_head;

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[
    &one_by_one::RULE,
    &compressed::RULE,
    &second_subscriber::RULE,
    &heartbeat::RULE,
    &time_to_head::RULE,
    &time_to_first_event::RULE,
];
