//! Unsupported methods are refused cleanly.
//!
//! The probe uses PROPFIND and OPTIONS, which are safe methods: a check must not change anything on
//! a production server.

use sseproof_http::{Plan, Request, Visit};

use crate::outcome::{NO_STREAM, Outcome, closes_on_anybody, count, each_once, is_hang};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/other-method",
    judge,
    mutants: &[
        Mutant::new("any-method", "opens the stream for any method", |visit| {
            let method = visit.request.method.as_str();
            if !is_other(method) {
                return reference::answer(visit);
            }
            let request = Request { method: "GET".to_owned(), ..visit.request.clone() };
            reference::answer(&Visit { request: &request, ..*visit })
        }),
        Mutant::new("method-crash", "answers a method that it does not know with 500", |visit| {
            match visit.request.method.as_str() {
                "PROPFIND" => Plan::answer(500, "text/plain", "unhandled\n"),
                _ => reference::answer(visit),
            }
        }),
    ],
};

/// The safe methods that are neither GET nor HEAD: nothing else is sent uninvited.
fn is_other(method: &str) -> bool {
    matches!(method, "PROPFIND" | "OPTIONS" | "REPORT" | "SEARCH" | "TRACE")
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let (mut asked, mut clean) = (0, 0);
    let target = &record.target().method;
    let others = record
        .judged()
        .filter(|view| is_other(&view.request.method) && view.request.method != *target);
    for view in others {
        asked += 1;
        let method = &view.request.method;
        let outcome = Outcome::of(&view);
        match &outcome {
            Outcome::Stream => {
                let message = format!("{method} opens the stream");
                faults.push(Fault::new(&view, Place::StatusLine, message));
            }
            Outcome::Status(500 | 502..=599) => {
                let message = format!("{method} is answered with {}", outcome.describe());
                faults.push(Fault::new(&view, Place::StatusLine, message).so(
                    "an unsupported request looks like a failure of the server, in its logs and to its clients",
                ));
            }
            Outcome::Silent(waited) if !is_hang(record, *waited) => {
                doubt = Some(format!("{method} got {}", outcome.describe()));
            }
            Outcome::Closed if closes_on_anybody(record) => {
                doubt = Some(format!("{method} got {}", outcome.describe()));
            }
            Outcome::Silent(_) | Outcome::Closed => {
                let message = format!("{method} gets {}", outcome.describe());
                faults.push(Fault::whole(&view, message).so("the client waits in vain"));
            }
            Outcome::Refused | Outcome::Unreachable => {
                doubt = Some(format!("{method} got {}", outcome.describe()));
            }
            Outcome::NotHttp => {}
            _ => clean += 1,
        }
    }
    if asked == 0 {
        return Verdict::Skip("no other method was tried".to_owned());
    }
    // Other rules judge a server that sends no stream at all.
    let streams = record.judged().any(|view| view.is_stream() && view.request.method == *target);
    if !streams {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if clean == 0 => Verdict::Skip("no answer to another method was HTTP".to_owned()),
        None => Verdict::Pass(count(clean, "other request")),
    }
}
