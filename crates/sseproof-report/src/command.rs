//! The commands that a report tells its reader to run: in one place, for they must be right.

/// How to read more on a rule.
pub(crate) fn explain(rule: &str) -> String {
    format!("sseproof explain {rule}")
}

/// How to check by one rule only.
pub(crate) fn only(rule: &str) -> String {
    format!("sseproof check URL --only {rule}")
}

/// How to judge a recording again.
pub(crate) fn replay(recording: &str) -> String {
    format!("sseproof check --replay {recording}")
}
