//! The commands that a report suggests: in one place, since they must be right.

use crate::Subject;

pub fn explain(rule: &str) -> String {
    format!("sseproof explain {rule}")
}

pub fn only(rule: &str) -> String {
    match rule.starts_with("client/") {
        true => format!("sseproof check-client --only {rule} -- COMMAND"),
        false => format!("sseproof check URL --only {rule}"),
    }
}

pub fn replay(subject: Subject, recording: &str) -> String {
    match subject {
        Subject::Server => format!("sseproof check --replay {recording}"),
        Subject::Client => format!("sseproof check-client --replay {recording}"),
    }
}
