//! Rules of the `resume/` family.

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[];
