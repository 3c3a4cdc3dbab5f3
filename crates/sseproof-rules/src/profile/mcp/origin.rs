//! Requests from pages of other sites.

use super::mistaken;
use super::traffic::{each, header, is_foreign, version};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mcp/origin",
    judge,
    mutants: &[Mutant::new("mcp-any-origin", "does not look at Origin", |visit| {
        mistaken(visit, |request| request.headers.remove("Origin"))
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no request with a foreign origin was answered";
    let demands_403 = &*version(record) >= "2025-11-25";
    let verdict = each(record, "refusal", none, is_foreign, |view, tally| {
        tally.look();
        let message = match view.status().unwrap_or_default() {
            // A client that must authenticate first learns nothing either.
            401 | 403 => return,
            400.. if !demands_403 => return,
            status @ 400.. => {
                format!("a request from a foreign origin is refused with {status}, not 403")
            }
            status => {
                let origin = header(view, "origin").unwrap_or_default();
                format!("a request from a page of {origin} is answered with {status}")
            }
        };
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    });
    match verdict {
        Verdict::Fail(_) if !is_local(&record.target().url) => Verdict::Inconclusive(
            "a request from a foreign origin is served: a public server may intend this, but on a local network it is a vulnerability"
                .to_owned(),
        ),
        verdict => verdict,
    }
}

/// Whether the server is on this machine or local network, which a page can only reach by rebinding
/// its own name.
fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(host) => host.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(std::net::IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => !host.contains('.') || host.ends_with(".localhost") || host.ends_with(".local"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_addresses() {
        for local in
            ["http://localhost:1/mcp", "http://127.0.0.1", "http://[::1]:9/", "http://10.1.2.3/"]
        {
            assert!(is_local(local), "{local}");
        }
        for public in ["https://mcp.example.com/mcp", "http://8.8.8.8/", "https://a@b.example/"] {
            assert!(!is_local(public), "{public}");
        }
    }
}
