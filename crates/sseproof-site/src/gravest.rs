//! The faults that do the most harm, each with how many have it.

use sseproof_rules::Status;

use crate::{Group, Matrix, Subject};

/// A fault by which a user of event streams loses the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grave {
    pub group: Group,
    pub rule: &'static str,
    /// A sentence without capital and full stop.
    pub fault: &'static str,
    /// The name of its report in `reports/bugs/`, if one report is about it.
    pub report: Option<&'static str>,
}

const fn of_server(rule: &'static str, fault: &'static str) -> Grave {
    Grave { group: Group::Servers, rule, fault, report: None }
}

const fn of_client(rule: &'static str, fault: &'static str, report: &'static str) -> Grave {
    Grave { group: Group::Clients, rule, fault, report: Some(report) }
}

static GRAVE: [Grave; 15] = [
    of_server("encode/injection", "a line end in published text forges events for all clients"),
    of_server(
        "resume/honoured",
        "clients that reconnect miss events, although each event has an id",
    ),
    of_server("lifecycle/bounded", "one client that does not read makes the server's memory grow"),
    of_server("lifecycle/head-stops", "each HEAD request leaves a producer running for good"),
    of_server("lifecycle/stops-on-close", "the server keeps producing for clients that are gone"),
    of_server("response/head-before-event", "a quiet stream looks dead until its first event"),
    Grave {
        group: Group::Proxies,
        rule: "proxy/head-at-once",
        fault: "the proxy holds back response headers, and with them the whole stream",
        report: None,
    },
    Grave {
        group: Group::Proxies,
        rule: "proxy/leave-passed",
        fault: "the server is not asked to stop when the client of the proxy is gone",
        report: None,
    },
    Grave {
        group: Group::Protocols,
        rule: "mcp/resume-apart",
        fault: "a session can resume the stream of another one, and read its results",
        report: None,
    },
    of_client("client/retry-huge", "a huge `retry` becomes a storm of requests", "huge-retry"),
    of_client(
        "client/last-event-id-any",
        "an id with letters beyond Latin-1 keeps the client from its reconnection",
        "event-id",
    ),
    of_client(
        "client/close-in-handler",
        "events are delivered after `close()` in a handler",
        "close-in-handler",
    ),
    of_client(
        "client/request-credentials",
        "`Authorization` and `Cookie` are sent to another origin after a redirect",
        "redirect-credentials",
    ),
    of_client(
        "client/reader-cut",
        "a truncated response is reported as a complete one",
        "fetch-truncated",
    ),
    of_client(
        "client/reconnect-refused-first",
        "the client gives up for good when a connection is refused",
        "firefox",
    ),
];

/// The gravest faults of a group.
pub fn grave_faults(group: Group) -> impl Iterator<Item = &'static Grave> {
    GRAVE.iter().filter(move |grave| grave.group == group)
}

impl Grave {
    /// Those that have it, and how many were asked.
    pub(crate) fn found<'m>(&self, matrix: &'m Matrix) -> (Vec<&'m Subject>, usize) {
        let with = |status: Status| {
            matrix.of(self.group).filter(move |one| one.status(self.rule) == Some(status))
        };
        let failed: Vec<&Subject> = with(Status::Fail).collect();
        let asked = failed.len() + with(Status::Pass).count();
        (failed, asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_rule() {
        for grave in &GRAVE {
            assert!(sseproof_rules::rule_text(grave.rule).is_some(), "{}", grave.rule);
            assert_eq!(grave.group == Group::Clients, grave.rule.starts_with("client/"));
        }
    }
}
