//! A run with one payload between two sentinels.

use sseproof_exchange::{Action, Answer, PublishOutcome, Published, Request, Visit};

use crate::reference;
use crate::testing::Run;

const SENTINELS: [&str; 2] = ["S1", "S2"];

/// Such a run, where the bytes stand in the stream for the payload.
pub(super) fn published(bytes: &[u8], data: &str) -> Run {
    answered(bytes, data, PublishOutcome::Accepted)
}

/// The same, where the request for the payload was answered in this way.
pub(super) fn answered(bytes: &[u8], data: &str, outcome: PublishOutcome) -> Run {
    let body = [b"data: S1\n\n", bytes, b"data: S2\n\n"].concat();
    run(&body, data, outcome, PublishOutcome::Accepted)
}

/// Such a run against a server that takes what is published.
pub(super) fn published_to(serve: Answer, data: &str) -> Run {
    let mut body = Vec::new();
    let mut outcomes = Vec::new();
    for text in [SENTINELS[0], data, SENTINELS[1]] {
        let mut request = Request::subscribe("http://server/publish");
        request.method = "POST".to_owned();
        request.body = text.into();
        let visit =
            Visit { request: &request, now: std::time::Duration::ZERO, earlier: 0, open: 1 };
        let plan = serve(&visit);
        for action in &plan.actions {
            match action {
                Action::Publish { bytes, .. } => body.extend_from_slice(bytes),
                Action::Head { status: 200..=299, .. } => outcomes.push(PublishOutcome::Accepted),
                Action::Head { .. } => outcomes.push(PublishOutcome::Refused("no".to_owned())),
                _ => {}
            }
        }
    }
    run(&body, data, outcomes[1].clone(), outcomes[0].clone())
}

fn run(body: &[u8], data: &str, outcome: PublishOutcome, sentinel: PublishOutcome) -> Run {
    Run::against(reference::answer).subscribe().with_body(body).edit(|last| {
        last.judged = false;
        let [first, second] = SENTINELS.map(|text| Published {
            payload: None,
            data: text.to_owned(),
            outcome: sentinel.clone(),
        });
        let payload = Some("a payload".to_owned());
        let payload = Published { payload, data: data.to_owned(), outcome };
        last.published = vec![first, payload, second];
    })
}
