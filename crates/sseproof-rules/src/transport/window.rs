//! The server sends no more than the window allows.

use sseproof_http::Action;
use sseproof_http::http2::{Frame, kind};

use super::{NO_HTTP2, answers, on_stream};
use crate::outcome::count;
use crate::{Fault, Mutant, Over, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "transport/window",
    judge,
    mutants: &[Mutant::new(
        "h2-ignores-window",
        "sends as if every window were endless",
        |visit| {
            on_stream(visit, |mut plan| {
                for action in &mut plan.actions {
                    if let Action::Write(bytes) = action {
                        let payload = std::mem::take(bytes);
                        *action = Action::Frame { kind: kind::DATA, flags: 0, payload };
                    }
                }
                plan
            })
        },
    )
    .over(Over::Http2)],
};

fn judge(record: &Record<'_>) -> Verdict {
    let limited: Vec<_> = record
        .all()
        .filter(|view| view.is_http2() && view.is_stream() && view.transport.window.is_some())
        .collect();
    let faults = limited.iter().filter_map(|view| {
        let window = u64::from(view.transport.window?);
        let came = spent(view);
        let message = format!(
            "{} of DATA came on a stream whose window was {window} from its beginning and was never enlarged",
            count(came, "byte")
        );
        (came > window).then(|| Fault::whole(view, message))
    });
    let faults: Vec<_> = faults.collect();
    match limited.len() {
        0 if answers(record).next().is_none() => Verdict::Skip(NO_HTTP2.to_owned()),
        0 => Verdict::Skip("no stream had a window that came to its end".to_owned()),
        seen => Verdict::from_faults(faults, format!("{} without room", count(seen, "stream"))),
    }
}

/// The bytes of the stream that count against its window: DATA with all its padding.
fn spent(view: &View<'_>) -> u64 {
    let wire = view.wire_bytes();
    let mut rest = wire.as_slice();
    let mut spent = 0;
    while let Some(frame) = Frame::read(rest) {
        if frame.kind == kind::DATA && Some(frame.stream) == view.transport.stream {
            spent += frame.payload.len() as u64;
        }
        rest = &rest[frame.length()..];
    }
    spent
}
