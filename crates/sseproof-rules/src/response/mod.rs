//! Rules of the `response/` family.

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[];
