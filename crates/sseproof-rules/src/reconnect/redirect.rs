//! Redirects lead somewhere.

use std::collections::BTreeSet;

use sseproof_http::{Action, Framing, Plan};
use sseproof_record::Reason;

use crate::outcome::{Outcome, count, each_once};
use crate::response::on_stream;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "reconnect/redirect",
    judge,
    mutants: &[
        Mutant::new(
            "redirect-loop",
            "redirects every subscriber to the same place again",
            |visit| on_stream(visit, |_| redirect(visit.request.target())),
        ),
        Mutant::new("redirect-to-nowhere", "redirects without saying where to", |visit| {
            on_stream(visit, |_| redirect("").without_header("Location"))
        }),
    ],
};

/// How many redirects are followed, here as in browsers' order of magnitude, before it is a loop.
const PATIENCE: usize = 10;

fn redirect(location: &str) -> Plan {
    let headers = [("Location", location)].into_iter().collect();
    Plan { actions: vec![Action::Head { status: 307, headers, framing: Framing::Length(0) }] }
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut followed = 0;
    let mut doubt = None;
    for view in record.judged() {
        let is_last = !record.judged().any(|next| follows(record, &next, &view));
        match Outcome::of(&view) {
            Outcome::Redirect(status) if is_last => match dead_end(record, &view, status) {
                Some(fault) => faults.push(fault),
                None => doubt = Some("a redirect was not followed".to_owned()),
            },
            Outcome::Redirect(_) => {}
            outcome => match record.followed(&view, Reason::Redirect) {
                None => {}
                Some(from) => match unreachable(&from, &view, &outcome) {
                    Some(fault) => faults.push(fault),
                    None => followed += 1,
                },
            },
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if followed > 0 => Verdict::Pass(count(followed, "redirect")),
        None => Verdict::Skip("nothing was redirected".to_owned()),
    }
}

fn follows(record: &Record<'_>, next: &View<'_>, view: &View<'_>) -> bool {
    record.followed(next, Reason::Redirect).is_some_and(|from| from.number == view.number)
}

/// Why nothing follows this redirect, if that is the server's fault.
fn dead_end(record: &Record<'_>, view: &View<'_>, status: u16) -> Option<Fault> {
    let location = view.head.as_ref()?.headers.first("location").unwrap_or_default();
    if location.is_empty() {
        let message = format!("the redirect {status} has no Location");
        return Some(
            Fault::header(view, "location", message)
                .so("the client has no place to go to and closes for good"),
        );
    }
    let mut urls = BTreeSet::from([view.request.url.clone()]);
    let mut chain = 1;
    let mut at = *view;
    while let Some(from) =
        record.followed(&at, Reason::Redirect).filter(|from| from.number < at.number)
    {
        urls.insert(from.request.url.clone());
        chain += 1;
        at = from;
    }
    if chain < PATIENCE {
        return None;
    }
    let message = if urls.len() < chain {
        format!("the redirects go in a circle, by way of {location}")
    } else {
        format!("still a redirect after {chain} of them, now to {location}")
    };
    Some(
        Fault::new(view, Place::Header("location".to_owned()), message)
            .so("the client gives up and closes for good"),
    )
}

/// The fault that a redirect leads to a place that is not there.
fn unreachable(from: &View<'_>, view: &View<'_>, outcome: &Outcome) -> Option<Fault> {
    if !matches!(outcome, Outcome::Refused | Outcome::Unreachable) {
        return None;
    }
    let message =
        format!("the redirect leads to {}, and there is {}", view.request.url, outcome.describe());
    Some(
        Fault::header(from, "location", message)
            .so("an address from behind the proxy, perhaps, which clients cannot reach"),
    )
}
