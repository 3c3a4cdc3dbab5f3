//! Rules on what a client makes of a response.

mod charset;
mod chunks;
mod coding;
mod http10;
mod informational;
mod missing_type;
mod no_content;
mod open;
mod parameters;
mod retry_after;
mod server_error;
mod status;
mod type_case;
mod wrong_type;

use std::time::Duration;

use sseproof_http::{Action, Coding, Framing, Headers, Plan, Request, StoredEncoder};

use crate::registry::Family;
use crate::{
    Can, Case, CaseVisit, Connect, Fault, Judgement, Kind, Origins, Quiet, View, When,
    status as answer, stream,
};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &open::RULE,
        &parameters::RULE,
        &type_case::RULE,
        &charset::RULE,
        &wrong_type::RULE,
        &missing_type::RULE,
        &no_content::RULE,
        &status::RULE,
        &server_error::RULE,
        &retry_after::RULE,
        &coding::RULE,
        &http10::RULE,
        &chunks::RULE,
        &informational::RULE,
    ],
    cases: &[
        &OPEN,
        &PARAMETERS,
        &TYPE_CASE,
        &CHARSET,
        &WRONG_TYPE,
        &MISSING_TYPE,
        &NO_CONTENT,
        &STATUS,
        &SERVER_ERROR,
        &RETRY_AFTER,
        &CODING,
        &HTTP10,
        &CHUNKS,
        &INFORMATIONAL,
    ],
};

const OPEN: Case = Case::new(
    "open",
    "the server sends the response headers at once and the first event later",
    |_| stream().then(Action::Flush).wait(200).write("data: one\n\n").hold(),
)
.needs(&[Can::Open])
.until(When::Events(1), Quiet::Short);

/// Media types with parameters, by path.
const TYPES: [&str; 4] = [
    "text/event-stream;charset=utf-8",
    "text/event-stream; charset=UTF-8",
    "text/event-stream ; charset=\"utf-8\"",
    "text/event-stream;v=1;charset=utf-8",
];

const PARAMETERS: Case =
    Case::new("type-parameters", "the server sends the media type with parameters", |visit| {
        typed(numbered::<&str>(visit, &TYPES))
    })
    .connects(|origins| paths(origins, TYPES.len()))
    .until(When::Events(TYPES.len()), Quiet::Short);

const TYPE_CASE: Case =
    Case::new("type-case", "the server sends the media type as `Text/Event-Stream`", |_| {
        typed("Text/Event-Stream")
    })
    .until(When::Events(1), Quiet::Short);

/// Its bytes in ISO 8859-1 would be two characters.
const LETTER: &str = "\u{e9}";

const CHARSET: Case =
    Case::new("charset", "the server sends UTF-8 and declares `charset=iso-8859-1`", |_| {
        let data = format!("data: {LETTER}\n\n");
        let plan = stream().write(data.into_bytes()).hold();
        plan.with_header("Content-Type", "text/event-stream; charset=iso-8859-1")
    })
    .until(When::Events(1), Quiet::Short);

const WRONG_TYPE: Case = Case::new(
    "wrong-type",
    "the server ends a stream, and sends the next one as `text/plain`",
    |visit| then(visit, || refused(200).with_header("Content-Type", "text/plain")),
)
.reconnecting()
.until(When::Requests(2), Quiet::Reconnect);

const MISSING_TYPE: Case = Case::new(
    "missing-type",
    "the server ends a stream, and sends the next one without Content-Type",
    |visit| then(visit, || refused(200).without_header("Content-Type")),
)
.reconnecting()
.until(When::Requests(2), Quiet::Reconnect);

const NO_CONTENT: Case = Case::new(
    "no-content",
    "the server ends a stream, and answers the next request with 204",
    |visit| then(visit, || answer(204)),
)
.reconnecting()
.until(When::Requests(2), Quiet::Reconnect);

const STATUSES: [u16; 8] = [201, 202, 400, 401, 403, 404, 410, 451];

const STATUS: Case = Case::new(
    "status",
    "the server ends streams, and answers the next requests with 2xx and 4xx",
    |visit| then(visit, || refused(*numbered(visit, &STATUSES))),
)
.reconnecting()
.connects(|origins| paths(origins, STATUSES.len()))
.lanes(LANES)
.until(When::Requests(2 * STATUSES.len()), Quiet::Reconnect);

const SERVER_ERRORS: [u16; 4] = [500, 502, 503, 504];

const SERVER_ERROR: Case = Case::new(
    "server-error",
    "the server ends streams, and answers the next requests with 5xx",
    |visit| then(visit, || refused(*numbered(visit, &SERVER_ERRORS))),
)
.reconnecting()
.connects(|origins| paths(origins, SERVER_ERRORS.len()))
.until(When::Requests(2 * SERVER_ERRORS.len()), Quiet::Reconnect);

/// The announced pause.
const PAUSE: Duration = Duration::from_secs(2);

const RETRY_AFTER: Case = Case::new(
    "retry-after",
    "the server ends a stream, and answers the next request with 503 and `Retry-After: 2`",
    |visit| match visit.earlier {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        1 => answer(503).with_header("Retry-After", PAUSE.as_secs().to_string()),
        _ => stream().write("data: two\n\n").hold(),
    },
)
.resilient()
.patient(PAUSE.saturating_mul(3))
.until(When::Requests(3), Quiet::Short);

/// The pause between two events: a client that waits for more before it decodes is late.
const BETWEEN: Duration = Duration::from_millis(700);

const CODING: Case = Case::new(
    "coding",
    "the server compresses the stream, if the client accepts gzip, and flushes each event",
    |visit| {
        let mut gzip = accepts_gzip(visit.request).then(|| StoredEncoder::like(Coding::Gzip, &[]));
        let mut coded = |text: &str| match &mut gzip {
            // The empty block is that of zlib's `Z_SYNC_FLUSH`: without it some decoders hold the
            // block before it back.
            Some(encoder) => [encoder.piece(text.as_bytes()), encoder.piece(b"")].concat(),
            None => text.as_bytes().to_vec(),
        };
        let between = u64::try_from(BETWEEN.as_millis()).unwrap_or_default();
        let answer = stream().write(coded("data: one\n\n")).wait(between);
        let plan =
            answer.write(coded("data: two\n\n")).wait(between).write(coded("data: three\n\n"));
        match gzip {
            Some(_) => plan.hold().with_header("Content-Encoding", "gzip"),
            None => plan.hold(),
        }
    },
)
.until(When::Events(3), Quiet::Short);

/// Whether the request permits a response in gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(request: &Request) -> bool {
    let codings = request.headers.list("accept-encoding");
    codings.iter().any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_zero = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !is_zero
    })
}

const HTTP10: Case = Case::new(
    "http10",
    "the server answers with HTTP/1.0, and the stream ends with its connection",
    |visit| match visit.earlier {
        0 => Plan {
            actions: vec![
                raw_head(visit.request, "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n"),
                Action::Raw("retry: 50\ndata: one\n\n".into()),
                Action::Wait(Duration::from_millis(50)),
                Action::Raw("data: two\n\n".into()),
                Action::Close,
            ],
        },
        _ => stream().hold(),
    },
)
.until(When::Ends(1), Quiet::Short);

const CHUNKS: Case = Case::new(
    "chunks",
    "the server sends chunks with extensions, and trailers after the last one",
    |visit| match visit.earlier {
        0 => stream()
            .then(Action::Raw("12;a=b;c=\"d\"\r\nretry: 50\ndata: on\r\n".into()))
            .then(Action::Wait(Duration::from_millis(30)))
            .then(Action::Raw("3;last\r\ne\n\n\r\nb\r\ndata: two\n\n\r\n".into()))
            .then(Action::Wait(Duration::from_millis(30)))
            .then(Action::Raw("000;end\r\nX-Checksum: data: three\r\n\r\n".into()))
            .then(Action::Close)
            .plan()
            .with_header("Trailer", "X-Checksum"),
        _ => stream().hold(),
    },
)
.until(When::Ends(1), Quiet::Short);

const INFORMATIONAL: Case = Case::new(
    "informational",
    "the server sends 100 and 103 before the response",
    |_| {
        let mut plan = stream().write("data: one\n\n").hold();
        let early = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n";
        plan.actions.insert(0, Action::Raw(early.into()));
        plan
    },
)
.until(When::Events(1), Quiet::Short);

/// How many connections of a case are open at the same time: a browser has six for each origin.
const LANES: usize = 4;

/// Response headers as they are, which pages of other origins may read, too.
fn raw_head(request: &Request, head: &str) -> Action {
    let allowed = request.headers.first("origin").map(|origin| {
        format!(
            "Access-Control-Allow-Origin: {origin}\r\nAccess-Control-Allow-Credentials: true\r\n"
        )
    });
    Action::Raw(format!("{head}{}\r\n", allowed.unwrap_or_default()).into())
}

/// A stream of this media type.
fn typed(media_type: &str) -> Plan {
    stream().write("data: one\n\n").hold().with_header("Content-Type", media_type)
}

/// A stream that ends, and then this answer.
fn then(visit: &CaseVisit<'_>, answer: impl Fn() -> Plan) -> Plan {
    match visit.here {
        0 => stream().write("retry: 50\ndata: one\n\n").end(),
        1 => answer(),
        // A client that does not stop is stopped.
        _ => self::answer(204),
    }
}

/// An event, in a response with this status, that must not be delivered.
fn refused(status: u16) -> Plan {
    let headers = [("Content-Type", "text/event-stream")].into_iter().collect::<Headers>();
    let head = Action::Head { status, headers, framing: Framing::Chunked };
    let event = Action::Write(format!("data: {WRONG}\n\n").into());
    Plan { actions: vec![head, event, Action::Finish] }
}

/// The data of an event that must not be delivered.
const WRONG: &str = "not a stream";

/// A connection for each number, with a path of its own.
fn paths(origins: &Origins, count: usize) -> Vec<Connect> {
    (0..count).map(|number| Connect::to(format!("{}/{number}", origins.own))).collect()
}

/// The value for the path of the request.
fn numbered<'v, T>(visit: &CaseVisit<'_>, values: &'v [T]) -> &'v T {
    let path = visit.request.path().trim_start_matches('/');
    let number: usize = path.parse().unwrap_or_default();
    &values[number.min(values.len() - 1)]
}

/// The judgement of a response that ends the subscription, for a client that has reconnected.
pub(crate) fn ends(view: &View<'_>, about: &str) -> Judgement {
    let wrong = view.events().into_iter().find(|event| event.what.data == WRONG);
    if let Some(event) = wrong {
        let message = format!("the client delivers the body of a response with {about}");
        return Fault::at(event.entry, message).into();
    }
    let Some(second) = view.request(2) else {
        return Judgement::Unclear("the client did not reconnect".to_owned());
    };
    if view.client().kind == Kind::Resilient {
        return Judgement::held("no event of it was delivered");
    }
    if let Some(third) = view.request(3) {
        let message = format!("the client reconnects after {about}");
        return Fault::at(third.entry, message).into();
    }
    let errors = view.errors().into_iter().filter(|error| error.at >= second.at).count();
    if view.can(Can::Error) && errors != 1 {
        let errors = sseproof_units::counted(errors, "error");
        let message = format!("the client reports {errors} for a response with {about}, not one");
        return Fault::missing(message).into();
    }
    if view.can(Can::Closed) && view.closes().is_empty() {
        let message = format!("the client does not report that it is closed after {about}");
        return Fault::missing(message).into();
    }
    Judgement::held(format!("{about}: no event, no request"))
}

/// The judgement of these statuses, one for each connection.
fn refusals(view: &View<'_>, statuses: &[u16]) -> Judgement {
    let connections = view.connections();
    let judged = connections.iter().zip(statuses).map(|((_, one), status)| {
        let about = format!("status {status}");
        let policy = &view.client().retries_on;
        let retries = policy.iter().any(|on| *on == "status" || *on == status.to_string());
        match ends(one, &about) {
            Judgement::Held(_) if view.client().kind == Kind::Resilient => match one.request(3) {
                Some(third) if !retries => {
                    let message =
                        format!("the client reconnects after {about}, and does not declare so");
                    Fault::at(third.entry, message).into()
                }
                None if retries => {
                    Judgement::Unclear(format!("the client did not reconnect yet after {about}"))
                }
                _ => Judgement::held("as the client declares in `retriesOn`"),
            },
            judgement => judgement,
        }
    });
    let shown: Vec<_> = statuses.iter().map(u16::to_string).collect();
    Judgement::all(
        judged,
        format!("{}: no event, and no request that is not declared", shown.join(", ")),
    )
}

/// The judgement of a stream whose events must all be delivered, in order.
pub(crate) fn delivered(view: &View<'_>, expected: &[&str], about: &str) -> Judgement {
    let events = view.events();
    let found: Vec<_> = events.iter().map(|event| event.what.data.as_str()).collect();
    if found == expected {
        return Judgement::held(about);
    }
    let wrong = found.iter().zip(expected).position(|(found, expected)| found != expected);
    match wrong.or((found.len() > expected.len()).then_some(expected.len())) {
        Some(index) => {
            let message = format!("the client delivers {:?}, which was not sent so", found[index]);
            Fault::at(events[index].entry, message).into()
        }
        None => {
            let missing = expected[found.len()];
            let why = view.errors().first().map(|error| format!(": {}", error.what.message));
            let message =
                format!("the event {missing:?} is not delivered{}", why.unwrap_or_default());
            Fault::missing(message).into()
        }
    }
}
