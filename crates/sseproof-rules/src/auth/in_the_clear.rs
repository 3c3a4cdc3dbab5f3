//! Credentials go over TLS.

use std::net::IpAddr;

use crate::outcome::count;
use crate::{Fault, Host, Mutant, Record, Rule, Verdict, reference};

use super::NO_CREDENTIALS;

pub(super) const RULE: Rule = Rule {
    id: "auth/in-the-clear",
    judge,
    mutants: &[Mutant::new(
        "abroad-without-tls",
        "takes credentials over http, on a public host",
        reference::answer,
    )
    .at(Host::Abroad)
    .private()],
};

fn judge(record: &Record<'_>) -> Verdict {
    let asked: Vec<_> = record.all().filter(|view| view.request.has_credentials()).collect();
    let Some(first) = asked.iter().find(|view| is_in_the_clear(&view.request.url)) else {
        return match asked.len() {
            0 => Verdict::Skip(NO_CREDENTIALS.to_owned()),
            some => Verdict::Pass(count(some, "request with credentials")),
        };
    };
    let message = "credentials are sent to this host over http, unencrypted";
    Verdict::Fail(vec![Fault::whole(first, message)])
}

/// Whether the URL leads over http to a host that may be anywhere: neither this machine nor one
/// that only its own network knows, by the name or the address.
fn is_in_the_clear(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or_default(),
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            !(address.is_loopback() || address.is_private() || address.is_link_local())
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Err(_) => {
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let near = [".localhost", ".local", ".internal", ".test", ".lan"];
            host.contains('.') && !near.iter().any(|end| host.ends_with(end))
        }
    }
}
