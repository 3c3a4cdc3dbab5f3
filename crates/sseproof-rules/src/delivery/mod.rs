//! Rules of the `delivery/` family.

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[];
