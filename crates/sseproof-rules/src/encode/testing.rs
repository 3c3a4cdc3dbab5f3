//! A run with payloads between sentinels.

use sseproof_record::{Action, Answer, PLAIN, Part, PublishOutcome, Published, Request, Visit};

use crate::reference;
use crate::testing::Run;

const SENTINELS: [&str; 3] = ["S1", "S2", "S3"];
/// The data of an event whose name, id or comment is the payload.
const CARRIER: &str = "C";

/// Such a run, where the bytes stand in the stream for the payload.
pub(super) fn published(bytes: &[u8], data: &str) -> Run {
    answered(bytes, data, PublishOutcome::Accepted)
}

/// The same, where the request for the payload was answered in this way.
pub(super) fn answered(bytes: &[u8], data: &str, outcome: PublishOutcome) -> Run {
    let body = [b"data: S1\n\n", bytes, b"data: S2\n\n"].concat();
    let payload = payload(Part::Data, data, outcome);
    run(&body, vec![sentinel(0), payload, sentinel(1)])
}

/// A run in which a plain text in this part arrives, and then the bytes stand for this one.
pub(super) fn between(bytes: &[u8], part: Part, text: &str) -> Run {
    let plain = match part {
        Part::Data => "data: C\n\n",
        Part::Event => "event: sseproof-plain\ndata: C\n\n",
        Part::Id => "id: sseproof-plain\ndata: C\n\n",
        Part::Comment => ": sseproof-plain\ndata: C\n\n",
    };
    let body =
        [b"data: S1\n\n", plain.as_bytes(), b"data: S2\n\n", bytes, b"data: S3\n\n"].concat();
    let accepted = |text| payload(part, text, PublishOutcome::Accepted);
    run(&body, vec![sentinel(0), accepted(PLAIN), sentinel(1), accepted(text), sentinel(2)])
}

pub(super) fn published_to(serve: Answer, data: &str) -> Run {
    let payload = payload(Part::Data, data, PublishOutcome::Accepted);
    to(serve, vec![sentinel(0), payload, sentinel(1)])
}

/// A run in which a plain text in this part is published to this server, and then this one.
pub(super) fn published_as(serve: Answer, part: Part, text: &str) -> Run {
    let [plain, other] = [PLAIN, text].map(|text| payload(part, text, PublishOutcome::Accepted));
    to(serve, vec![sentinel(0), plain, sentinel(1), other, sentinel(2)])
}

fn to(serve: Answer, mut published: Vec<Published>) -> Run {
    let mut body = Vec::new();
    for one in &mut published {
        let mut request = Request::subscribe(format!("http://server{}", reference::PARTS));
        request.method = "POST".to_owned();
        let mut json = serde_json::json!({ "data": one.data });
        for part in [Part::Event, Part::Id, Part::Comment] {
            if let Some(text) = one.meant(part) {
                json[part.variable()] = text.into();
            }
        }
        request.body = json.to_string().into();
        let visit = Visit {
            request: &request,
            now: std::time::Duration::ZERO,
            earlier: 0,
            open: 1,
            beside: 0,
            blocked: 0,
        };
        one.outcome = PublishOutcome::Refused("no".to_owned());
        for action in &serve(&visit).actions {
            match action {
                Action::Publish { bytes, .. } => body.extend_from_slice(bytes),
                Action::Head { status: 200..=299, .. } => one.outcome = PublishOutcome::Accepted,
                _ => {}
            }
        }
    }
    run(&body, published)
}

fn sentinel(index: usize) -> Published {
    Published::of(SENTINELS[index])
}

fn payload(part: Part, text: &str, outcome: PublishOutcome) -> Published {
    let text = text.to_owned();
    let payload = Some("a payload".to_owned());
    let carrier = Published { payload, outcome, ..Published::of(CARRIER) };
    match part {
        Part::Data => Published { data: text, ..carrier },
        Part::Event => Published { event: Some(text), ..carrier },
        Part::Id => Published { id: Some(text), ..carrier },
        Part::Comment => Published { comment: Some(text), ..carrier },
    }
}

fn run(body: &[u8], published: Vec<Published>) -> Run {
    Run::against(reference::answer).subscribe().with_body(body).edit(|last| {
        last.judged = false;
        last.published = published;
    })
}
