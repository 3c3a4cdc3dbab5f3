//! A client that does not ask for an event stream is answered cleanly.

use sseproof_http::{Plan, Request, Visit};

use crate::outcome::{NO_STREAM, Outcome, closes_on_anybody, count, each_once, is_hang};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

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
    let mut faults = Vec::new();
    let mut doubt = None;
    let (mut asked, mut clean) = (0, 0);
    let others = record.judged().filter(|view| {
        view.request.method == record.target().method && !names(&view.request, "text/event-stream")
    });
    for view in others {
        asked += 1;
        let outcome = Outcome::of(&view);
        let what = match view.request.headers.first("accept") {
            Some(accept) => format!("`Accept: {accept}`"),
            None => "a request without Accept".to_owned(),
        };
        match &outcome {
            Outcome::Status(500 | 502..=599) => {
                let message = format!("{what} is answered with {}", outcome.describe());
                faults.push(Fault::new(&view, Place::StatusLine, message));
            }
            Outcome::OtherType if is_page(&view) && !names(&view.request, "text/html") => {
                let message = format!("{what} is answered with 200 and a page");
                faults.push(Fault::header(&view, "content-type", message).so(
                    "a client of the stream that does not name its type gets a page instead, and stops",
                ));
            }
            Outcome::Silent(waited) if !is_hang(record, *waited) => {
                doubt = Some(format!("{what} got {}", outcome.describe()));
            }
            Outcome::Closed if closes_on_anybody(record) => {
                doubt = Some(format!("{what} got {}", outcome.describe()));
            }
            Outcome::Silent(_) | Outcome::Closed => {
                let message = format!("{what} gets {}", outcome.describe());
                faults.push(Fault::whole(&view, message));
            }
            Outcome::Refused | Outcome::Unreachable => {
                doubt = Some(format!("{what} got {}", outcome.describe()));
            }
            Outcome::NotHttp => {}
            _ => clean += 1,
        }
    }
    if asked == 0 {
        return Verdict::Skip("every request asked for an event stream".to_owned());
    }
    // Other rules judge a server that sends no stream at all.
    if !record.subscriptions().any(|view| view.is_stream()) {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if clean == 0 => Verdict::Skip("no answer was HTTP".to_owned()),
        None => Verdict::Pass(count(clean, "other request")),
    }
}

/// Whether Accept names the media type, whatever its weight.
fn names(request: &Request, media: &str) -> bool {
    let list = request.headers.list("accept");
    list.iter().any(|member| member.split(';').next().unwrap_or_default().trim() == media)
}

fn is_page(view: &View<'_>) -> bool {
    view.head.as_ref().and_then(|head| head.media_type()).as_deref() == Some("text/html")
}
