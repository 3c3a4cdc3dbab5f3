//! One request as a lab server sees it: all that its answer may depend on.

use std::time::Duration;

use crate::{Plan, Request};

#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub request: &'a Request,
    /// Whether it came over TLS.
    pub secure: bool,
    pub now: Duration,
    pub earlier: u64,
    /// How many other answers are being played at this moment.
    pub open: usize,
    /// How many of them are on the same HTTP/2 connection.
    pub beside: usize,
    /// How many of those have no window left.
    pub blocked: usize,
    /// How many streams of the same HTTP/2 connection the client cancelled.
    pub cancelled: usize,
}

/// The response of a lab server: a pure function of the visit.
pub type Answer = fn(&Visit<'_>) -> Plan;
