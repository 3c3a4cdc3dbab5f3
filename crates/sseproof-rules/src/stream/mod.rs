//! Rules on the bytes of the stream itself.

mod utf8;

use crate::Rule;

/// The family.
pub(crate) const RULES: &[&Rule] = &[&utf8::RULE];
