//! The fields that a client or a cache needs get through the proxy.

use sseproof_http::Headers;

use super::sides::{all_pairs, on_streams, through};
use crate::outcome::count;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "proxy/headers-kept",
    judge: |record| on_streams(record, judge),
    mutants: &[Mutant::new(
        "proxy-drops-cache-control",
        "is behind a proxy that takes Cache-Control out",
        |visit| through(visit, |plan| plan.without_header("Cache-Control")),
    )],
};

/// Fields for the next hop alone, of the proxy itself, or meant for it.
const ITS_OWN: &[&str] = &[
    "accept-ranges",
    "age",
    "alt-svc",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "etag",
    "expect-ct",
    "keep-alive",
    "last-modified",
    "proxy-authenticate",
    "proxy-connection",
    "server",
    "server-timing",
    "strict-transport-security",
    "surrogate-control",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-powered-by",
    "x-runtime",
];

/// The beginnings of the names of fields by which a server steers the proxy.
const STEERING: [&str; 4] = ["x-accel-", "x-sendfile", "x-varnish", "surrogate-"];

fn judge(record: &Record<'_>) -> Verdict {
    let pairs: Vec<_> = all_pairs(record)
        .into_iter()
        .filter(|pair| pair.direct.is_stream() && pair.through.is_stream())
        // A HEAD may be answered by another part of either.
        .filter(|pair| pair.direct.request.method == record.target().method)
        .collect();
    let Some(first) = pairs.first() else {
        return Verdict::Skip("no stream came on both sides".to_owned());
    };
    let direct: Vec<&Headers> = heads(pairs.iter().map(|pair| pair.direct.exchange()));
    let there: Vec<&Headers> = heads(pairs.iter().map(|pair| pair.through.exchange()));
    let mut faults = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for header in direct.first().map(|headers| headers.0.as_slice()).unwrap_or_default() {
        let name = header.name.to_ascii_lowercase();
        if is_its_own(&name) || names.contains(&name) {
            continue;
        }
        // A field that not every direct response has may be missing on purpose.
        if !direct.iter().all(|headers| headers.has(&name)) {
            continue;
        }
        names.push(name.clone());
        if !there.iter().any(|headers| headers.has(&name)) {
            let value = header.value.to_text();
            let message = format!(
                "the server sends `{}: {value}`; through the proxy the field is missing",
                header.name
            );
            faults.push(Fault::header(&first.through, &name, message));
        }
    }
    faults.extend(lost_directives(first, &direct, &there));
    Verdict::from_faults(faults, format!("{} kept", count(names.len(), "field")))
}

fn heads<'r>(exchanges: impl Iterator<Item = &'r sseproof_record::Exchange>) -> Vec<&'r Headers> {
    exchanges.filter_map(|exchange| Some(&exchange.head.as_ref()?.headers)).collect()
}

fn is_its_own(name: &str) -> bool {
    ITS_OWN.contains(&name) || STEERING.iter().any(|start| name.starts_with(start))
}

/// The fault where Cache-Control is there on both sides, and what forbids to store or change the
/// stream is not.
fn lost_directives(
    first: &super::sides::Pair<'_>,
    direct: &[&Headers],
    there: &[&Headers],
) -> Option<Fault> {
    const FORBID: [&str; 4] = ["no-store", "no-cache", "private", "no-transform"];
    let name = "cache-control";
    let has = |headers: &&Headers, directive: &str| {
        headers.list(name).iter().any(|one| one.split('=').next() == Some(directive))
    };
    if !there.iter().all(|headers| headers.has(name)) {
        return None;
    }
    let lost: Vec<_> = FORBID
        .into_iter()
        .filter(|directive| direct.iter().all(|headers| has(headers, directive)))
        .filter(|directive| !there.iter().any(|headers| has(headers, directive)))
        .collect();
    let said = there.first()?.list(name).join(", ");
    (!lost.is_empty()).then(|| {
        let message = format!(
            "the server's Cache-Control has `{}`; through the proxy it is `{said}`",
            lost.join(", ")
        );
        Fault::header(&first.through, name, message)
    })
}
