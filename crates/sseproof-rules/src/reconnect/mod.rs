//! Rules of the `reconnect/` family.

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[];
