//! A HEAD request is answered.

use sseproof_http::{Action, Plan, Visit};
use sseproof_record::Role;

use super::clean::{Clean, answered};
use crate::outcome::{Outcome, stream_answers};
use crate::{Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/head-method",
    judge,
    mutants: &[
        Mutant::new("head-hangs", "never answers HEAD", |visit| {
            on_head(visit, Plan { actions: vec![Action::Hold] })
        }),
        Mutant::new(
            "head-keeps-connection",
            "answers HEAD and then no other request on that connection",
            |visit| on_head(visit, Plan { actions: vec![reference::head(visit), Action::Hold] }),
        ),
        Mutant::new("head-fails", "answers HEAD with 500", |visit| {
            on_head(visit, reference::answer(visit).with_status(500))
        }),
        Mutant::new("head-not-found", "answers HEAD with 404 where GET gets the stream", |visit| {
            on_head(visit, reference::answer(visit).with_status(404))
        }),
    ],
};

fn on_head(visit: &Visit<'_>, answer: Plan) -> Plan {
    if visit.request.method == "HEAD" { answer } else { reference::answer(visit) }
}

/// Whether it was sent after another HEAD on one connection, as load balancers send it.
fn is_again(view: &View<'_>) -> bool {
    view.role == Some(Role::SameConnection)
}

/// Whether the answer before on this connection said `Connection: close`.
fn was_to_close(record: &Record<'_>, again: &View<'_>) -> bool {
    let closes = |view: &View<'_>| {
        let options = view.head.as_ref().map(|head| head.headers.list("connection"));
        options.is_some_and(|options| options.iter().any(|option| option == "close"))
    };
    record.all().any(|view| {
        view.scenario == again.scenario
            && view.number < again.number
            && view.request.method == "HEAD"
            && closes(&view)
    })
}

fn judge(record: &Record<'_>) -> Verdict {
    let heads = record.judged().filter(|view| view.request.method == "HEAD");
    // A server may close a connection at any time, and no request may follow on one that it is about
    // to close.
    let heads = heads.filter(|view| {
        !is_again(view) || Outcome::of(view) != Outcome::Closed && !was_to_close(record, view)
    });
    let texts = Clean {
        noun: "HEAD request",
        none: "no request was HEAD",
        not_http: "the answer to HEAD was not HTTP",
        unanswered: Some("a client that sends HEAD waits in vain and takes the server for dead"),
    };
    let has_stream = stream_answers(record).next().is_some();
    let name = |view: &View<'_>| {
        let again = "HEAD, sent again on a connection on which one was answered,";
        if is_again(view) { again } else { "HEAD" }.to_owned()
    };
    texts.judge(record, heads, has_stream, name, |view, outcome, name| {
        let taken = match outcome {
            Outcome::Status(404 | 410) => "the stream for missing",
            Outcome::Status(500 | 502..=599) => "the server for broken",
            _ => return None,
        };
        let consequence = format!("a client that sends HEAD takes {taken}");
        Some(answered(view, name, outcome).so(consequence))
    })
}
