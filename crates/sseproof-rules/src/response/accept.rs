//! A client that does not ask for an event stream is answered cleanly.

use sseproof_http::{Plan, Request, Visit};

use super::clean::{Clean, answered};
use crate::outcome::Outcome;
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/accept",
    judge,
    mutants: &[
        Mutant::new("accept-crash", "answers 500 if Accept is missing", |visit| {
            let crash = Plan::answer(500, "text/plain", "undefined is not an object\n");
            instead(visit, !visit.request.headers.has("accept"), crash)
        }),
        Mutant::new(
            "page-for-others",
            "answers with a page if Accept does not name the stream",
            |visit| {
                let page = Plan::answer(200, "text/html", "<h1>Welcome</h1>\n");
                instead(visit, !names(visit.request, "text/event-stream"), page)
            },
        ),
    ],
};

fn instead(visit: &Visit<'_>, wrong: bool, answer: Plan) -> Plan {
    match visit.request.method.as_str() {
        "GET" if wrong => answer,
        _ => reference::answer(visit),
    }
}

fn judge(record: &Record<'_>) -> Verdict {
    let others = record.judged().filter(|view| {
        view.request.method == record.target().method && !names(&view.request, "text/event-stream")
    });
    let texts = Clean {
        noun: "other request",
        none: "every request asked for an event stream",
        not_http: "no answer was HTTP",
        unanswered: None,
    };
    let has_stream = record.subscriptions().any(|view| view.is_stream());
    let name = |view: &View<'_>| match view.request.headers.first("accept") {
        Some(accept) => format!("`Accept: {accept}`"),
        None => "a request without Accept".to_owned(),
    };
    texts.judge(record, others, has_stream, name, |view, outcome, name| match outcome {
        Outcome::Status(500 | 502..=599) => Some(answered(view, name, outcome)),
        Outcome::OtherType if is_page(view) && !names(&view.request, "text/html") => {
            let message = format!("{name} is answered with 200 and a page");
            Some(Fault::header(view, "content-type", message).so(
                "a client of the stream that does not name its type gets a page instead, and stops",
            ))
        }
        _ => None,
    })
}

/// Whether Accept names the media type, whatever its weight.
fn names(request: &Request, media: &str) -> bool {
    let list = request.headers.list("accept");
    list.iter().any(|member| member.split(';').next().unwrap_or_default().trim() == media)
}

fn is_page(view: &View<'_>) -> bool {
    view.head.as_ref().and_then(|head| head.media_type()).as_deref() == Some("text/html")
}
