//! The answer to a preflight permits the request that the browser asks about.
//!
//! An `EventSource` sends nothing that needs a preflight, except ids that are not harmless (see
//! `stream/id-preflight`).
//! A client based on fetch needs one for `Authorization`, for JSON in a POST, and for each
//! `Last-Event-ID`.

use sseproof_http::{Plan, Visit};

use super::{NO_ORIGIN, OWN_ORIGIN, admits, allows_credentials, to_page, to_pages};
use crate::outcome::{Outcome, count, each_once, is_hang};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, stream};

const ID: &str = "last-event-id";
const ASKED_HEADERS: &str = "access-control-request-headers";
const ASKED_METHOD: &str = "access-control-request-method";
const ALLOWED_HEADERS: &str = "access-control-allow-headers";
/// The methods that Fetch permits without a word of the server.
const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "POST"];

pub(super) const OF_REQUEST: Rule = Rule {
    id: "cors/preflight",
    judge: judge_request,
    mutants: &[
        Mutant::new(
            "preflight-refused",
            "admits pages of any origin, and answers OPTIONS with 405",
            |visit| {
                answered(visit, |_| {
                    Plan::answer(405, "text/plain", "use GET\n").with_header("Allow", "GET, HEAD")
                })
            },
        )
        .private(),
        Mutant::new(
            "preflight-star-for-authorization",
            "permits all headers by a star, which does not stand for Authorization",
            |visit| answered(visit, |plan| plan.with_header("Access-Control-Allow-Headers", "*")),
        )
        .private(),
    ],
};

pub(super) const OF_ID: Rule = Rule {
    id: "cors/preflight-id",
    judge: judge_id,
    mutants: &[Mutant::new(
        "preflight-without-id",
        "admits pages of any origin, and permits no Last-Event-ID",
        |visit| answered(visit, |plan| plan.with_header("Access-Control-Allow-Headers", "X-Topic")),
    )],
};

/// For mutants: the reference, which admits pages of any origin, with a preflight changed by this.
fn answered(visit: &Visit<'_>, preflight: impl FnOnce(Plan) -> Plan) -> Plan {
    let plan = to_page(visit, |plan, _| plan.with_header("Access-Control-Allow-Origin", "*"));
    let is_preflight = visit.request.method == "OPTIONS" && visit.request.headers.has("origin");
    if is_preflight { preflight(plan) } else { plan }
}

fn judge_request(record: &Record<'_>) -> Verdict {
    let none = "no request needs a preflight: each has a safe method and harmless headers";
    judge(record, none, |view| (!asks_for_id(view)).then(|| names(view)))
}

fn judge_id(record: &Record<'_>) -> Verdict {
    for rule in [&OF_REQUEST, &stream::id_preflight::RULE] {
        if matches!((rule.judge)(record), Verdict::Fail(_)) {
            return Verdict::Skip(format!("a preflight is refused: see {}", rule.id));
        }
    }
    if !to_pages(record).any(|(view, _)| view.events().any(|(event, _)| event.sets_id)) {
        return match to_pages(record).next() {
            None => Verdict::Skip(NO_ORIGIN.to_owned()),
            Some(_) => Verdict::Skip("no event has an id".to_owned()),
        };
    }
    judge(record, "no preflight asked for Last-Event-ID", |view| {
        asks_for_id(view).then(|| vec![ID.to_owned()])
    })
}

/// The verdict on the preflights of pages that may read the stream. `needed` names the headers that
/// an answer must permit; `None` if it is of no interest.
fn judge(
    record: &Record<'_>,
    none: &str,
    needed: impl Fn(&View<'_>) -> Option<Vec<String>>,
) -> Verdict {
    let mut admitted = to_pages(record).filter(|(view, _)| view.is_stream()).peekable();
    if admitted.peek().is_none() {
        return Verdict::Skip(NO_ORIGIN.to_owned());
    }
    let Some((stream, origin)) = admitted.find(|(view, origin)| admits(view, origin)) else {
        return Verdict::Skip(OWN_ORIGIN.to_owned());
    };
    let mut faults = Vec::new();
    let (mut fine, mut doubt) = (0, None);
    for view in preflights(record) {
        let Some(names) = needed(&view) else { continue };
        if view.request.headers.first("origin").as_ref() != Some(&origin) {
            continue;
        }
        let outcome = Outcome::of(&view);
        match flaw(&view, &names, allows_credentials(&stream)) {
            Some(fault) => faults.push(fault.so(consequence(&names))),
            None if view.head.is_some() => fine += 1,
            None if matches!(outcome, Outcome::Silent(waited) if is_hang(record, waited)) => {
                let message = format!("a preflight gets {}", outcome.describe());
                faults.push(Fault::whole(&view, message).so(consequence(&names)));
            }
            None => doubt = Some(format!("a preflight got {}", outcome.describe())),
        }
    }
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(each_once(faults)),
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if fine == 0 => Verdict::Skip(none.to_owned()),
        None => Verdict::Pass(count(fine, "preflight")),
    }
}

fn consequence(names: &[String]) -> &'static str {
    if names.iter().any(|name| name == ID) {
        "a client based on fetch opens the stream, but the browser refuses to reconnect it with an id"
    } else {
        "the browser refuses the request before it is sent, so no page of another origin gets the stream"
    }
}

fn preflights<'r>(record: &'r Record<'_>) -> impl Iterator<Item = View<'r>> {
    record.all().filter(|view| {
        let asks = [ASKED_METHOD, ASKED_HEADERS].iter().any(|name| view.request.headers.has(name));
        view.request.method == "OPTIONS" && asks
    })
}

/// The names that the preflight asks for, in lower case.
fn names(view: &View<'_>) -> Vec<String> {
    view.request.headers.list(ASKED_HEADERS)
}

fn asks_for_id(view: &View<'_>) -> bool {
    names(view).iter().any(|name| name == ID)
}

/// Whether a preflight in the record lets a page of another origin send its `Last-Event-ID`;
/// `None` where there was none.
pub(crate) fn preflight_admits_id(record: &Record<'_>) -> Option<bool> {
    let asked = preflights(record).filter(asks_for_id);
    let is_fine =
        |view: View<'_>| view.head.is_some() && flaw(&view, &[ID.to_owned()], false).is_none();
    asked.map(is_fine).reduce(|one, other| one || other)
}

/// The first reason for which a browser refuses the request after this answer.
fn flaw(view: &View<'_>, needed: &[String], needs_credentials: bool) -> Option<Fault> {
    let head = view.head.as_ref()?;
    let origin = view.request.headers.first("origin").unwrap_or_default();
    if !(200..300).contains(&head.status) {
        let outcome = Outcome::of(view);
        let message =
            format!("a preflight is answered with {}, and not with 200 to 299", outcome.describe());
        return Some(Fault::new(view, Place::StatusLine, message));
    }
    if !admits(view, &origin) {
        let message = match head.headers.first("access-control-allow-origin") {
            Some(other) => format!(
                "the stream admits `{origin}`, and the answer to a preflight says `{other}`"
            ),
            None => format!("the stream admits `{origin}`, and the answer to a preflight does not"),
        };
        return Some(Fault::header(view, "access-control-allow-origin", message));
    }
    if needs_credentials && !allows_credentials(view) {
        let message = "the stream allows credentials, and the answer to a preflight does not";
        let field = "access-control-allow-credentials";
        return Some(Fault::header(view, field, message.to_owned()));
    }
    // The star is a name like others where cookies are sent.
    let has_star =
        |list: &[String]| list.iter().any(|name| name == "*") && !allows_credentials(view);
    let method = view.request.headers.first(ASKED_METHOD).unwrap_or_else(|| "GET".to_owned());
    let methods = head.headers.list("access-control-allow-methods");
    let is_method = |other: &String| other.eq_ignore_ascii_case(&method);
    if !SAFE_METHODS.contains(&method.as_str())
        && !has_star(&methods)
        && !methods.iter().any(is_method)
    {
        let message = format!("the answer to a preflight does not permit the method {method}");
        return Some(Fault::header(view, "access-control-allow-methods", message));
    }
    let allowed = head.headers.list(ALLOWED_HEADERS);
    let is_allowed =
        |name: &String| allowed.contains(name) || (name != "authorization" && has_star(&allowed));
    let missing: Vec<_> = needed.iter().filter(|name| !is_allowed(name)).cloned().collect();
    let first = missing.first()?;
    let star = match allowed.iter().any(|name| name == "*") {
        true if first == "authorization" => "; `*` does not stand for it",
        true => "; `*` does not count where credentials are allowed",
        false => "",
    };
    let message =
        format!("the answer to a preflight does not permit `{}`{star}", missing.join("`, `"));
    Some(Fault::header(view, ALLOWED_HEADERS, message))
}
