//! Rules on streams that pages of other origins may read.
//!
//! They look at the exchanges that name an `Origin`: those of the probe, whose origin no server knows,
//! and those of a run that was given one (`--origin`, or a header of the target).

mod any_origin;
mod credentials;
mod every_answer;
mod one_origin;
mod preflight;
mod vary_origin;

use sseproof_http::{Plan, Request, Visit};

use crate::{Family, LooksAt, Record, Verdict, View, reference};

pub(crate) use self::preflight::preflight_admits_id;

/// The origin of the probe's page, which no server can have on a list.
pub(crate) const STRANGER: &str = "https://sseproof.example";

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[
        &one_origin::RULE,
        &credentials::RULE,
        &any_origin::RULE,
        &every_answer::RULE,
        &vary_origin::RULE,
        &preflight::OF_REQUEST,
        &preflight::OF_ID,
    ],
};

/// The reason to skip if no request came from a page of another origin.
const NO_ORIGIN: &str = "no request named an origin";
/// The reason to skip if the response is for pages of the same origin.
const OWN_ORIGIN: &str =
    "no response admits another origin; name an allowed origin with --origin https://app.example";

/// Why there is no answer to a page of another origin, or none to the page of the probe.
fn no_origin(record: &Record<'_>) -> Verdict {
    let named: Vec<_> = record.all().filter(|view| view.request.headers.has("origin")).collect();
    Verdict::Skip(if named.is_empty() {
        NO_ORIGIN.to_owned()
    } else if named.iter().any(|view| view.head.is_some()) {
        format!("no request for the stream named an origin that no list has, as {STRANGER}")
    } else {
        "no request that named an origin was answered".to_owned()
    })
}

/// Why no answer admits a page of another origin.
fn own_origin(record: &Record<'_>) -> Verdict {
    let named = to_pages(record).map(|(_, origin)| origin).find(|origin| origin != STRANGER);
    Verdict::Skip(match named {
        Some(named) => format!("no response admits `{named}`: see cors/one-origin"),
        None => OWN_ORIGIN.to_owned(),
    })
}

/// The answers to a page of another origin that asked for the stream, with its origin.
fn to_pages<'r>(record: &'r Record<'_>) -> impl Iterator<Item = (View<'r>, String)> {
    record.all().filter_map(|view| {
        let origin = view.request.headers.first("origin")?;
        let for_stream = view.request.method == record.target().method && view.head.is_some();
        for_stream.then_some((view, origin))
    })
}

/// The origins that the answer admits, a value for each field line.
fn admitted(view: &View<'_>) -> Vec<String> {
    let head = view.head.iter();
    head.flat_map(|head| head.headers.all("access-control-allow-origin"))
        .map(|header| header.value.to_text().trim().to_owned())
        .collect()
}

/// Whether a browser lets a page of that origin read the answer.
fn admits(view: &View<'_>, origin: &str) -> bool {
    matches!(admitted(view).as_slice(), [one] if one == "*" || one == origin)
}

/// Whether the answer admits requests with cookies.
fn allows_credentials(view: &View<'_>) -> bool {
    let head = view.head.as_ref();
    head.and_then(|head| head.headers.first("access-control-allow-credentials"))
        .is_some_and(|value| value.trim() == "true")
}

/// For mutants: the reference's stream, changed where a page of another origin asks for it, and a
/// preflight that permits what it asks for.
fn to_page(visit: &Visit<'_>, edit: impl FnOnce(Plan, &Request) -> Plan) -> Plan {
    let plan = reference::answer(visit);
    let request = visit.request;
    if !request.headers.has("origin") {
        return plan;
    }
    match request.method.as_str() {
        "GET" => edit(plan, request),
        "OPTIONS" => {
            let asked = request.headers.first("access-control-request-headers").unwrap_or_default();
            edit(plan, request).with_header("Access-Control-Allow-Headers", asked)
        }
        _ => plan,
    }
}

/// For mutants: the plan, with the origin of the request admitted.
fn echoed(plan: Plan, request: &Request) -> Plan {
    let origin = request.headers.first("origin").unwrap_or_default();
    plan.with_header("Access-Control-Allow-Origin", origin)
}
