//! Requests from pages of other sites.

use super::mistaken;
use super::traffic::{FOREIGN, asked, each, header, is_foreign, is_rebound, version};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/origin",
    judge,
    mutants: &[
        Mutant::new("mcp-any-origin", "does not look at Origin", |visit| {
            mistaken(visit, |request| request.headers.remove("Origin"))
        }),
        Mutant::new(
            "mcp-origin-by-prefix",
            "allows every origin that begins with a local one",
            |visit| {
                mistaken(visit, |request| {
                    let origin = request.headers.first("origin").unwrap_or_default();
                    if origin.starts_with("http://localhost") {
                        request.headers.remove("Origin");
                    }
                })
            },
        ),
        Mutant::new("mcp-origin-null", "allows the origin `null`", |visit| {
            mistaken(visit, |request| {
                if request.headers.first("origin").as_deref() == Some("null") {
                    request.headers.remove("Origin");
                }
            })
        }),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let none = "no request with a foreign origin was answered";
    let demands_403 = &*version(record) >= "2025-11-25";
    let served = |view: &View<'_>| view.status().is_some_and(|status| status < 400);
    let any = record.all().find(|view| is_plain(view) && served(view)).map(|view| view.number);
    let wanted = |view: &View<'_>| is_foreign(view) && !is_rebound(view);
    let verdict = each(record, "refusal", none, wanted, |view, tally| {
        let refused = |status| !served(view) && !matches!(status, 401 | 403);
        if view.status().is_some_and(refused) && !is_alone_refused(record, view) {
            return;
        }
        // `mcp/get` judges a page instead of a stream.
        if view.request.method == "GET" && served(view) && !view.is_stream() {
            return;
        }
        tally.look();
        let from = from(view);
        let (message, consequence) = match view.status().unwrap_or_default() {
            // A client that must authenticate first learns nothing either.
            401 | 403 => return,
            400.. if !demands_403 => return,
            status @ 400.. => (format!("{from} is refused with {status}, not 403"), None),
            // A server that allows any origin also allows the others, and does so in sessions.
            _ if any.is_some_and(|first| first < view.number) => return,
            status if is_plain(view) => {
                (format!("{from} is answered with {status}"), rebinding(record))
            }
            status => {
                let message =
                    format!("{from} is answered with {status}; other origins are refused");
                (message, None)
            }
        };
        tally.fault(|| Fault { consequence, ..Fault::new(view, Place::StatusLine, message) });
    });
    match verdict {
        Verdict::Fail(_) if !is_local(&record.target().url) => Verdict::Inconclusive(
            "a request from a foreign origin is served: a public server may intend this, but on a local network it is a vulnerability"
                .to_owned(),
        ),
        verdict => verdict,
    }
}

/// Whether a refusal must be for the origin: other requests of that kind are not refused like that.
/// A server may offer no GET, or not know the session.
fn is_alone_refused(record: &Record<'_>, view: &View<'_>) -> bool {
    let is_like = |other: &View<'_>| {
        !is_foreign(other)
            && asked(other)["method"] == asked(view)["method"]
            && other.status() == view.status()
    };
    let is_first = view.request.method == "POST" && header(view, "mcp-session-id").is_none();
    is_first && !record.all().any(|other| is_like(&other))
}

/// Whether its origin has nothing in common with that of the server.
fn is_plain(view: &View<'_>) -> bool {
    header(view, "origin").as_deref() == Some(FOREIGN) && !is_rebound(view)
}

/// The request, as the beginning of a message.
fn from(view: &View<'_>) -> String {
    let what = match (view.request.method.as_str(), header(view, "mcp-session-id")) {
        ("GET", _) => "a GET",
        (_, Some(_)) => "a request in a session",
        _ => "a request",
    };
    match header(view, "origin").unwrap_or_default().as_str() {
        "null" => format!("{what} with `Origin: null`, as from any sandboxed frame,"),
        origin => format!("{what} from a page of {origin}"),
    }
}

/// Whether the missing check lets a page in whose name was rebound to the address of the server: its
/// requests have that name as `Host`, too.
fn rebinding(record: &Record<'_>) -> Option<String> {
    let status = record.all().find(is_rebound)?.status()?;
    Some(match status {
        400.. => format!(
            "the server refuses another `Host` with {status}, which stops DNS rebinding; only the check of `Origin` is missing"
        ),
        _ => "another `Host` is served, too, so that any page reaches the server through DNS rebinding and can call every tool as its user"
            .to_owned(),
    })
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
