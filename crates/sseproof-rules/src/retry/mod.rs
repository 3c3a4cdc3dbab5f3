//! Rules of the `retry/` family.

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[];
