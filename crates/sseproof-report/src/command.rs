//! The commands that a report suggests: in one place, since they must be right.

pub(crate) fn explain(rule: &str) -> String {
    format!("sseproof explain {rule}")
}

pub(crate) fn only(rule: &str) -> String {
    format!("sseproof check URL --only {rule}")
}

pub(crate) fn replay(recording: &str) -> String {
    format!("sseproof check --replay {recording}")
}
