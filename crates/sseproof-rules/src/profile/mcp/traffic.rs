//! JSON-RPC requests and the messages that answer them.

use serde_json::Value;

use crate::profile::events::{Piece, pieces};
use crate::profile::json::read;
use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Record, Verdict, View};

/// The origin that the probes claim to come from.
pub(super) const FOREIGN: &str = "http://sseproof.invalid";
/// The end of all host names that the probes claim.
const FOREIGN_HOST: &str = "sseproof.invalid";
/// The session that the probes send and no server created.
pub(super) const UNKNOWN_SESSION: &str = "sseproof-unknown-session";
/// The version that the probes send and that does not exist.
pub(super) const NO_VERSION: &str = "1999-01-01";
pub(super) const NO_METHOD: &str = "sseproof/unknown";

/// The reason to skip without sessions.
pub(super) const NO_SESSION: &str = "the server created no session";

/// Whether the message is the response to a request: it has a result or an error.
pub(super) fn is_response(message: &Value) -> bool {
    message.get("result").is_some() || message.get("error").is_some()
}

/// The events of a stream that carry messages. An event with empty data carries none: it only gives
/// the client an id. A batch, which the first version has, is several messages.
pub(super) fn messages<'r>(view: &View<'r>) -> Vec<Piece<'r>> {
    let carrying = pieces(view).into_iter().filter(|piece| !piece.data.is_empty());
    let messages = carrying.flat_map(|piece| match piece.json.as_array() {
        Some(batch) if !batch.is_empty() => batch.iter().map(|json| piece.part(json)).collect(),
        _ => vec![piece],
    });
    messages.collect()
}

/// The messages of a response, also of one without a stream, each with its offset.
pub(super) fn replies(view: &View<'_>) -> Vec<(u64, Value)> {
    if view.is_stream() {
        return messages(view).into_iter().map(|message| (message.offset, message.json)).collect();
    }
    match read(&String::from_utf8_lossy(&view.body_bytes())).unwrap_or_default() {
        Value::Null => Vec::new(),
        Value::Array(batch) => batch.into_iter().map(|json| (0, json)).collect(),
        json => vec![(0, json)],
    }
}

/// The body of the request as JSON; null if it is not JSON.
pub(super) fn asked(view: &View<'_>) -> Value {
    serde_json::from_slice(&view.request.body).unwrap_or_default()
}

/// Whether it is a POST that asks for a response.
pub(super) fn is_request(view: &View<'_>) -> bool {
    let asked = asked(view);
    view.request.method == "POST" && asked["method"].is_string() && !asked["id"].is_null()
}

/// Whether it begins a session.
pub(super) fn is_initialize(view: &View<'_>) -> bool {
    asked(view)["method"] == "initialize"
}

pub(super) fn header(view: &View<'_>, name: &str) -> Option<String> {
    view.request.headers.first(name)
}

/// Whether the request comes from a page of another site, or from a sandboxed one.
pub(super) fn is_foreign(view: &View<'_>) -> bool {
    header(view, "origin").is_some_and(|origin| origin == "null" || origin.ends_with(FOREIGN_HOST))
}

/// Whether the request names another host, as that of a page does whose name was rebound.
pub(super) fn is_rebound(view: &View<'_>) -> bool {
    header(view, "host").is_some_and(|host| host.ends_with(FOREIGN_HOST))
}

/// The session that the request names, or that its response creates.
pub(super) fn session(view: &View<'_>) -> Option<String> {
    view.request.headers.first("mcp-session-id").or_else(|| given(view))
}

/// The session that the response creates.
pub(super) fn given(view: &View<'_>) -> Option<String> {
    view.head.as_ref()?.headers.first("mcp-session-id")
}

/// The requests that begin a session or a conversation.
pub(super) fn beginnings<'r>(record: &'r Record<'_>) -> impl Iterator<Item = View<'r>> {
    record.all().filter(|view| is_initialize(view) && !is_foreign(view))
}

/// Whether the response to any `initialize` created a session.
pub(super) fn has_sessions(record: &Record<'_>) -> bool {
    record.all().any(|view| is_initialize(&view) && session(&view).is_some())
}

/// Whether the request names a session that the server created.
pub(super) fn is_in_session(record: &Record<'_>, view: &View<'_>) -> bool {
    view.request.headers.first("mcp-session-id").is_some_and(|named| named != UNKNOWN_SESSION)
        || !has_sessions(record)
}

/// Whether the session of the request was given the event that it names, if it names one.
pub(super) fn knows_event(record: &Record<'_>, view: &View<'_>) -> bool {
    let Some(last) = view.request.last_event_id().map(|id| id.to_text()) else { return true };
    record.all().any(|other| {
        other.number < view.number
            && session(&other) == session(view)
            && other.events().any(|(event, _)| event.last_event_id == last)
    })
}

pub(super) fn version(record: &Record<'_>) -> String {
    let wanted = |view: View<'_>| {
        let version = asked(&view)["params"]["protocolVersion"].as_str().map(str::to_owned);
        version.or_else(|| view.request.headers.first("mcp-protocol-version"))
    };
    record.all().find_map(wanted).unwrap_or_default()
}

/// The reason to skip if the server uses another version than the requested one, or creates no
/// session.
pub(super) fn unspoken(record: &Record<'_>) -> Option<String> {
    let begun: Vec<_> = beginnings(record).collect();
    let first = begun.first()?;
    let Some(answer) = begun.iter().find(|view| view.status() == Some(200)) else {
        let status = first.status()?;
        return Some(format!("`initialize` is answered with {status}, so there is no session"));
    };
    let spoken = replies(answer)
        .into_iter()
        .find_map(|(_, json)| Some(json["result"]["protocolVersion"].as_str()?.to_owned()))?;
    let wanted = version(record);
    (spoken != wanted).then(|| {
        format!("the server uses version {spoken}, not {wanted}: choose its profile from `sseproof list profiles`")
    })
}

/// Judges each answered exchange that is `wanted`. `noun` is what `look` counts.
pub(super) fn each<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    wanted: impl Fn(&View<'r>) -> bool,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    look::each(&look::answered(record, wanted), noun, none, look)
}

/// The same for the streams that answer requests.
pub(super) fn each_answer<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    each(record, noun, none, |view| is_request(view) && view.is_stream(), look)
}

pub(super) fn each_status<'r>(
    record: &'r Record<'_>,
    what: &str,
    none: &str,
    wanted: impl Fn(&View<'r>) -> bool,
    fits: impl Fn(u16) -> bool,
) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    let views = look::answered(record, wanted);
    look::statuses(&views, "response", what, none, |status| Some(fits(status)))
}
