//! The commands that a report suggests: in one place, since they must be right.

/// Shows the text of a rule.
pub(crate) fn explain(rule: &str) -> String {
    format!("sseproof explain {rule}")
}

/// Checks one rule only.
pub(crate) fn only(rule: &str) -> String {
    format!("sseproof check URL --only {rule}")
}

/// Judges a recording again.
pub(crate) fn replay(recording: &str) -> String {
    format!("sseproof check --replay {recording}")
}
