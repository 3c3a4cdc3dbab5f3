//! Rules on what a proxy does to a stream: each compares what came through it with what the server
//! itself sent at the same time.
//!
//! No figure here is judged by itself: a fault of the server itself is not one of the proxy.

mod end_passed;
mod events_at_once;
mod head_at_once;
mod headers_kept;
mod keeps;
mod last_event_id;
mod lateness;
mod no_transform;
mod not_cut;
mod not_joined;
mod sides;
mod stops;

use crate::{Family, LooksAt};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &keeps::MUSTS,
        &keeps::SHOULDS,
        &head_at_once::RULE,
        &events_at_once::RULE,
        &headers_kept::RULE,
        &no_transform::RULE,
        &last_event_id::RULE,
        &not_joined::RULE,
        &not_cut::RULE,
        &end_passed::RULE,
        &stops::LEAVE,
        &stops::HEAD,
    ],
};
