//! Operations, reservations, and the streams that answer them.

use std::collections::BTreeSet;

use serde_json::Value;
use sseproof_http::Request;

pub(super) use crate::profile::events::pieces as messages;
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Record, Verdict, View};

/// The header that names a reservation.
pub(super) const TOKEN: &str = "x-graphql-event-stream-token";
/// The token that the probes send and no server issued.
pub(super) const NO_TOKEN: &str = "sseproof-unknown-token";
/// The field that the probes query and no schema has.
pub(super) const NO_FIELD: &str = "sseproofUnknownField";
/// The reason to skip if the server has no single connection mode.
pub(super) const NO_RESERVATION: &str =
    "the server has no single connection mode at this URL: a PUT is not answered with 201";

/// The parameter of that name in the query of the URL, not decoded.
pub(super) fn parameter<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let query = request.target().split_once('?')?.1;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}

pub(super) fn token(request: &Request) -> Option<String> {
    let in_url = || parameter(request, "token").map(str::to_owned);
    request.headers.first(TOKEN).or_else(in_url)
}

/// The body of the request as JSON; null if it is not JSON.
pub(super) fn asked(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or_default()
}

/// The id of the requested operation, as its events must name it.
pub(super) fn operation_id(request: &Request) -> Option<String> {
    match &asked(request)["extensions"]["operationId"] {
        Value::String(id) => Some(id.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

/// Whether the operation queries a field that no schema has.
pub(super) fn is_invalid(request: &Request) -> bool {
    asked(request)["query"].as_str().is_some_and(|query| query.contains(NO_FIELD))
}

fn reservations(record: &Record<'_>) -> BTreeSet<String> {
    let made = |view: &View<'_>| view.request.method == "PUT" && view.status() == Some(201);
    let token = |view: View<'_>| view.body_bytes().iter().map(|&byte| char::from(byte)).collect();
    let all = record.all().filter(made).map(token);
    all.map(|token: String| token.trim().to_owned()).filter(|token| !token.is_empty()).collect()
}

/// Whether the server has the mode with a single connection.
pub(super) fn has_reservations(record: &Record<'_>) -> bool {
    !reservations(record).is_empty()
}

/// Whether the request names a reservation that the server made.
pub(super) fn is_reserved(record: &Record<'_>, view: &View<'_>) -> bool {
    token(&view.request).is_some_and(|token| reservations(record).contains(&token))
}

pub(super) fn is_single_stream(view: &View<'_>) -> bool {
    let asks = view.request.method == "GET" && parameter(&view.request, "query").is_none();
    asks && is_open_stream(view) && token(&view.request).is_some()
}

/// Whether the response is a stream that can be read.
pub(super) fn is_open_stream(view: &View<'_>) -> bool {
    view.is_stream() && view.status() == Some(200) && !view.is_encoded()
}

/// Judges each answered exchange that is `wanted`.
pub(super) fn each<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    wanted: impl Fn(&View<'r>) -> bool,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    look::each(&look::answered(record, wanted), noun, none, look)
}

/// The same, if the server has the mode with a single connection.
pub(super) fn each_reserved<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    wanted: impl Fn(&View<'r>) -> bool,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    if !has_reservations(record) {
        return Verdict::Skip(NO_RESERVATION.to_owned());
    }
    each(record, noun, none, wanted, look)
}

/// The stream of the reservation that the request names.
pub(super) fn stream_of<'r>(record: &'r Record<'_>, view: &View<'_>) -> Option<View<'r>> {
    let wanted = token(&view.request)?;
    record
        .all()
        .find(|other| is_single_stream(other) && token(&other.request).as_deref() == Some(&*wanted))
}
