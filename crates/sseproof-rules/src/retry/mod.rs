//! Rules on the reconnection time that a server announces.

mod announced;
pub(crate) mod done;
mod reasonable;

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[&announced::RULE, &reasonable::RULE];
