//! The outcome of a request, in the cases that rules distinguish, and why the client sent it.

use std::collections::BTreeSet;
use std::time::Duration;

use sseproof_record::{Ending, Phase, Reason};

pub(crate) use sseproof_units::counted as count;

use crate::delivery::figures::{Spread, sent, shown, time_to_head};
use crate::timing::NO_ANSWER;
use crate::{Fault, Record, Verdict, View};

/// The reason to skip where no exchange shows a stream.
pub(crate) const NO_STREAM: &str = "no stream was seen";

/// The reason to skip what is about HTTP/1: the run spoke HTTP/2 alone, or else this.
pub(crate) fn of_http1(record: &Record<'_>, otherwise: &str) -> Verdict {
    let mut seen = record.judged().peekable();
    let is_http2_alone = seen.peek().is_some() && seen.all(|view| !view.request.version.is_http1());
    Verdict::Skip(if is_http2_alone {
        "the rule is about HTTP/1, and the run used only HTTP/2; run with --http 1.1 if the server supports it".to_owned()
    } else {
        otherwise.to_owned()
    })
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An event stream: 200 and the media type.
    Stream,
    /// 200, with another media type or none.
    OtherType,
    /// A redirect: 301, 302, 303, 307 or 308.
    Redirect(u16),
    Status(u16),
    /// No response headers within this time.
    Silent(Duration),
    /// The connection was closed or reset before response headers came.
    Closed,
    Refused,
    /// No connection for another reason, which may be the network's.
    Unreachable,
    NotHttp,
}

impl Outcome {
    pub(crate) fn of(view: &View<'_>) -> Self {
        match (&view.head, &view.end.how) {
            (Some(head), _) => match head.status {
                200 if head.is_event_stream() => Self::Stream,
                200 => Self::OtherType,
                status @ (301 | 302 | 303 | 307 | 308) => Self::Redirect(status),
                status => Self::Status(status),
            },
            (None, Ending::Malformed(_)) => Self::NotHttp,
            (None, Ending::Unconnected(why)) if why.to_lowercase().contains("refused") => {
                Self::Refused
            }
            (None, Ending::Unconnected(_) | Ending::Unresolved(_) | Ending::Handshake(_)) => {
                Self::Unreachable
            }
            (None, Ending::TimedOut(Phase::Connect)) => Self::Unreachable,
            (None, how) if how.is_servers() => Self::Closed,
            (None, _) => Self::Silent(view.end.at.saturating_sub(sent(view))),
        }
    }

    /// As a part of a message.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Stream => "a stream".to_owned(),
            Self::OtherType => "200 with a body that is not an event stream".to_owned(),
            Self::Redirect(status) => format!("the redirect {status}"),
            Self::Status(status) => match reason(*status) {
                "" => format!("the status {status}"),
                reason => format!("the status {status} ({reason})"),
            },
            Self::Silent(waited) => format!("no answer within {}", shown(*waited)),
            Self::Closed => "a closed connection and no answer".to_owned(),
            Self::Refused => "a refused connection".to_owned(),
            Self::Unreachable => "no connection".to_owned(),
            Self::NotHttp => "something that is not HTTP".to_owned(),
        }
    }

    /// The consequence for a client like `EventSource`.
    pub(crate) fn consequence(&self) -> &'static str {
        match self {
            Self::Stream | Self::Redirect(_) => "the client continues",
            Self::Status(204) => "204 stops the client: it closes for good and never asks again",
            Self::Status(429 | 502 | 503 | 504) => {
                "the client does not try again later: any status but 200 closes it for good"
            }
            Self::Status(401 | 403 | 407) => {
                "the client closes for good, and a page that holds it sees an error without the status"
            }
            Self::Status(_) | Self::OtherType => "the client closes for good and never asks again",
            Self::Silent(_) => "the client waits, shows nothing and reports no error",
            Self::Closed | Self::Refused | Self::Unreachable => {
                "the client keeps trying, and its user gets no new events meanwhile"
            }
            Self::NotHttp => "the client cannot read the answer",
        }
    }
}

/// How the client came to ask.
#[derive(Clone, Copy)]
pub(crate) enum Coming<'r> {
    /// For the first time: no subscription had been given a stream yet.
    First,
    /// Anew, after an earlier subscription had been given a stream.
    Anew,
    /// Back, after this exchange had ended.
    Back(View<'r>),
}

/// How the client came to make this exchange, redirects aside.
pub(crate) fn coming<'r>(record: &'r Record<'_>, view: &View<'r>) -> Coming<'r> {
    let root = root(record, view);
    if let Some(before) = record.followed(&root, Reason::Reconnect) {
        return Coming::Back(before);
    }
    let given = record
        .subscriptions()
        .any(|other| other.number < root.number && Outcome::of(&other) == Outcome::Stream);
    if given { Coming::Anew } else { Coming::First }
}

/// The exchange in which a chain of redirects began.
fn root<'r>(record: &'r Record<'_>, view: &View<'r>) -> View<'r> {
    let mut root = *view;
    while let Some(before) = record.followed(&root, Reason::Redirect) {
        // A recording is a file that anybody may write: a circle in it ends here.
        if before.number >= root.number {
            break;
        }
        root = before;
    }
    root
}

/// The exchanges whose answer is an event stream, whatever its content coding, HEAD aside.
pub(crate) fn stream_answers<'r>(record: &'r Record<'_>) -> impl Iterator<Item = View<'r>> {
    record.judged().filter(|view| view.is_stream() && view.request.method != "HEAD")
}

/// Whether a silence of this length is one, and no slowness: it is long, four times as long as the
/// head of a stream takes in this record, and twice as long as any took.
pub(crate) fn is_hang(record: &Record<'_>, waited: Duration) -> bool {
    let heads = Spread::of(stream_answers(record).filter_map(|view| time_to_head(&view)));
    let is_longer = |heads: Spread| heads.median * 4 <= waited && heads.max * 2 <= waited;
    waited >= NO_ANSWER && heads.is_some_and(is_longer)
}

/// Whether a plain subscription was closed without an answer, too: then what is special about
/// another request need not be the cause.
pub(crate) fn closes_on_anybody(record: &Record<'_>) -> bool {
    record.subscriptions().any(|view| Outcome::of(&view) == Outcome::Closed)
}

/// Judges each of these exchanges, or parts of them, which are called `noun` in the singular. `none`
/// is the reason to skip without any.
pub(crate) fn each_of<T, F: IntoIterator<Item = Fault>>(
    items: impl Iterator<Item = T>,
    noun: &str,
    none: &str,
    faults: impl Fn(&T) -> F,
) -> Verdict {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return Verdict::Skip(none.to_owned());
    }
    let faults = items.iter().flat_map(faults).collect();
    Verdict::from_faults(each_once(faults), count(items.len(), noun))
}

/// The first fault of each kind: a server that repeats a fault in each answer has one.
pub(crate) fn each_once(faults: Vec<Fault>) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    faults.into_iter().filter(|fault| seen.insert(fault.message.clone())).collect()
}

fn reason(status: u16) -> &'static str {
    match status {
        204 => "no content",
        304 => "not modified",
        400 => "bad request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        406 => "not acceptable",
        408 => "request timeout",
        409 => "conflict",
        410 => "gone",
        429 => "too many requests",
        500 => "internal server error",
        501 => "not implemented",
        502 => "bad gateway",
        503 => "service unavailable",
        504 => "gateway timeout",
        _ => "",
    }
}
