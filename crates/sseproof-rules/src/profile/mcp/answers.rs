//! The rules on whole responses: status, headers and body.

use sseproof_http::Plan;

use super::sessions::is_lost;
use super::traffic::{
    NO_METHOD, asked, each, is_foreign, is_in_session, is_initialize, is_request, is_response,
    messages, session,
};
use super::{answer, mistaken, says};
use crate::profile::json::{read, shown};
use crate::profile::written::{Changed, Written, but_to, not_found};
use crate::stream::quoted;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const ANSWER_TYPE: Rule = Rule {
    id: "mcp/answer-type",
    judge: answer_type,
    mutants: &[Mutant::new("mcp-answer-as-text", "answers a request with text/plain", |visit| {
        match says(visit, "tools/list") {
            true => answer(visit)
                .instead_of(200, || answer(visit).with_header("Content-Type", "text/plain")),
            false => answer(visit),
        }
    })],
};

fn answer_type(record: &Record<'_>) -> Verdict {
    let none = "no request was answered with 200";
    let wanted = |view: &_| is_request(view) && view.status() == Some(200) && !is_foreign(view);
    each(record, "response", none, wanted, |view, tally| {
        tally.look();
        let media = view.head.as_ref().and_then(|head| head.media_type()).unwrap_or_default();
        let message = match &*media {
            "application/json" | "text/event-stream" => return,
            "" => "the response to a request has no Content-Type".to_owned(),
            media => format!("the response to a request has the type `{media}`"),
        };
        tally.fault(|| Fault::header(view, "content-type", message));
    })
}

pub(super) const NOTIFICATION: Rule = Rule {
    id: "mcp/notification",
    judge: notification,
    mutants: &[
        Mutant::new("mcp-notification-200", "answers a notification with 200", |visit| {
            answer(visit).instead_of(202, || answer(visit).with_status(200))
        }),
        Mutant::new(
            "mcp-notification-body",
            "answers a notification with 202 and a body",
            |visit| match says(visit, "notifications/initialized") {
                true => answer(visit).instead_of(202, || {
                    Plan::answer(202, "application/json", "{\"status\":\"accepted\"}")
                }),
                false => answer(visit),
            },
        ),
    ],
};

fn notification(record: &Record<'_>) -> Verdict {
    let wanted = |view: &View<'_>| {
        let asked = asked(view);
        view.request.method == "POST" && asked["method"].is_string() && asked.get("id").is_none()
    };
    each(record, "notification", "no notification was sent", wanted, |view, tally| {
        tally.look();
        match view.status().unwrap_or_default() {
            400.. => {}
            202 if view.body_len() == 0 => {}
            202 => {
                let body = quoted(&view.body_bytes());
                let message = format!("the 202 for a notification has a body: {body}");
                tally.fault(|| Fault::at(view, 0, message));
            }
            status => {
                let message = format!("a notification is answered with {status}, not 202");
                tally.fault(|| Fault::new(view, Place::StatusLine, message));
            }
        }
    })
}

pub(super) const GET: Rule = Rule {
    id: "mcp/get",
    judge: get,
    mutants: &[
        Mutant::new(
            "mcp-get-404",
            "answers a GET with 404, as a framework does for unregistered paths",
            |visit| but_to("GET", not_found(), answer, visit),
        ),
        Mutant::new("mcp-get-page", "answers a GET with 200 and a page", |visit| {
            let page = Plan::answer(200, "text/html", "<p>This is an MCP server.</p>\n");
            but_to("GET", page, answer, visit)
        }),
    ],
};

/// Whether it is a GET that begins a new stream, and does not resume one.
fn is_first_get(view: &View<'_>) -> bool {
    view.request.method == "GET" && view.request.last_event_id().is_none()
}

fn get(record: &Record<'_>) -> Verdict {
    // `mcp/listen-again` judges GETs of a session that had a listening stream.
    let had_stream = |view: &View<'_>| {
        let before = |other: &View<'_>| {
            other.number < view.number && other.request.method == "GET" && other.is_stream()
        };
        session(view).is_some()
            && record.all().any(|other| before(&other) && session(&other) == session(view))
    };
    let wanted = |view: &View<'_>| {
        is_first_get(view)
            && is_in_session(record, view)
            && !is_foreign(view)
            && !had_stream(view)
            && !is_lost(record, view)
    };
    each(record, "GET", "no GET was answered in a session", wanted, |view, tally| {
        tally.look();
        let message = match view.status().unwrap_or_default() {
            405 => return,
            200 if view.is_stream() => return,
            200 => "a GET is answered with 200, but without an event stream".to_owned(),
            status => format!("a GET is answered with {status}"),
        };
        tally.fault(|| Fault::new(view, Place::StatusLine, message));
    })
}

pub(super) const GET_RESPONSE: Rule = Rule {
    id: "mcp/get-response",
    judge: get_response,
    mutants: &[Mutant::new(
        "mcp-response-on-get",
        "sends responses on the stream that a GET opened",
        |visit| {
            let response = Written::data(r#"{"jsonrpc":"2.0","id":11,"result":{}}"#);
            answer(visit).followed_by("list_changed", &response)
        },
    )],
};

fn get_response(record: &Record<'_>) -> Verdict {
    let none = "no GET was answered with a stream";
    let wanted = |view: &View<'_>| is_first_get(view) && view.is_stream();
    each(record, "stream", none, wanted, |view, tally| {
        tally.look();
        for message in messages(view).iter().filter(|message| is_response(&message.json)) {
            let id = shown(&message.json["id"]);
            let wrong = format!("the response to request {id} arrives on the stream of a GET");
            tally.fault(|| Fault::at(view, message.offset, wrong));
        }
    })
}

pub(super) const METHOD_UNKNOWN: Rule = Rule {
    id: "mcp/method-unknown",
    judge: method_unknown,
    mutants: &[
        Mutant::new(
            "mcp-unknown-method-200",
            "answers an unknown method with 200 and the error",
            |visit| answer(visit).instead_of(404, || answer(visit).with_status(200)),
        ),
        Mutant::new(
            "mcp-unknown-method-page",
            "answers an unknown method with the 404 of its framework",
            |visit| answer(visit).instead_of(404, not_found),
        ),
    ],
};

fn method_unknown(record: &Record<'_>) -> Verdict {
    let none = "no unknown method was requested";
    let wanted = |view: &View<'_>| asked(view)["method"] == NO_METHOD;
    each(record, "response", none, wanted, |view, tally| {
        tally.look();
        let status = view.status().unwrap_or_default();
        if status != 404 {
            let message = format!("a request for an unknown method is answered with {status}");
            tally.fault(|| Fault::new(view, Place::StatusLine, message));
            return;
        }
        let body = view.body_bytes();
        let json = read(&String::from_utf8_lossy(&body)).unwrap_or_default();
        if json["error"]["code"] != -32601 {
            let message = format!("the 404 has no error -32601: {}", quoted(&body));
            tally.fault(|| Fault::at(view, 0, message));
        }
    })
}

pub(super) const SESSION_ID: Rule = Rule {
    id: "mcp/session-id",
    judge: session_id,
    mutants: &[Mutant::new(
        "mcp-session-with-blanks",
        "creates a session id with spaces",
        |visit| {
            const BLANK: &str = "session ";
            let mut plan = mistaken(visit, |request| {
                let named = request.headers.first("mcp-session-id");
                if let Some(id) = named.as_deref().and_then(|id| id.strip_prefix(BLANK)) {
                    request.headers.set("Mcp-Session-Id", id);
                }
            });
            match plan.headers().and_then(|headers| headers.first("mcp-session-id")) {
                Some(id) => plan.with_header("Mcp-Session-Id", format!("{BLANK}{id}")),
                None => plan,
            }
        },
    )],
};

fn session_id(record: &Record<'_>) -> Verdict {
    let id = |view: &View<'_>| view.head.as_ref()?.headers.first("mcp-session-id");
    let wanted = |view: &_| is_initialize(view) && id(view).is_some();
    each(record, "session", "the server created no session", wanted, |view, tally| {
        tally.look();
        let id = id(view).unwrap_or_default();
        if id.is_empty() || !id.chars().all(|char| char.is_ascii_graphic()) {
            let message = format!("the session id is {id:?}");
            tally.fault(|| Fault::header(view, "mcp-session-id", message));
        }
    })
}
