//! A server that answers as the reference does, and on some paths in other ways.

use std::sync::Arc;
use std::time::Duration;

use sseproof_files::{Scenario, Target, Variables};
use sseproof_http::{Action, Plan, Visit};
use sseproof_net::{Client, Lab, Limits};
use sseproof_rules::reference;

pub(crate) fn answer(visit: &Visit<'_>) -> Plan {
    let path = visit.request.path().to_owned();
    let stream = |actions: Vec<Action>| Plan {
        actions: [reference::head(visit)].into_iter().chain(actions).collect(),
    };
    let started = Action::Write(reference::event(1));
    match path.as_str() {
        "/missing" => Plan::answer(404, "text/plain", "there is nothing here\n"),
        "/silent" => stream(vec![Action::Flush, Action::Hold]),
        "/only-published" => {
            stream(vec![Action::Follow { topic: "published".to_owned(), after: u64::MAX }])
        }
        "/greets" => stream(vec![
            started,
            Action::Flush,
            Action::Follow { topic: "published".to_owned(), after: u64::MAX },
        ]),
        "/late-published" => Plan {
            actions: [
                Action::Wait(Duration::from_millis(700)),
                reference::head(visit),
                Action::Follow { topic: "published".to_owned(), after: 0 },
            ]
            .into(),
        },
        "/late" => Plan { actions: vec![Action::Wait(Duration::from_secs(60))] },
        "/cut" => stream(vec![started, Action::Close]),
        "/reset" => stream(vec![started, Action::Flush, Action::Reset]),
        "/loop" => to("/loop"),
        "/redirect/0" => reference::answer(visit),
        "/twice" if visit.request.target().ends_with('2') => stream(vec![Action::Finish]),
        _ => match path.strip_prefix("/redirect/").and_then(|left| left.parse::<u32>().ok()) {
            Some(left) => to(&format!("/redirect/{}", left - 1)),
            None => reference::answer(visit),
        },
    }
}

fn to(place: &str) -> Plan {
    Plan::answer(307, "text/plain", "").with_header("Location", place)
}

pub(crate) fn client() -> Client {
    Client::new(Arc::new(Lab::new(answer).in_process()), Limits::default())
}

pub(crate) fn target() -> Target {
    Target::new("http://lab.test/events")
}

pub(crate) fn scenario(name: &str, source: &str) -> Scenario {
    match Scenario::parse(name, source, &Variables::default()) {
        Ok(scenario) => scenario,
        Err(mistakes) => panic!("{mistakes}"),
    }
}
