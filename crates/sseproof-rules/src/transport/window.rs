//! The server sends no more than the window allows.

use sseproof_record::Action;
use sseproof_record::http2::{Frame, kind};

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
            "{came} bytes of DATA came on a stream whose window was {window} from its beginning and was never enlarged"
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

#[cfg(test)]
mod tests {
    use super::super::over_http2;
    use super::*;
    use crate::reference;
    use crate::testing::Run;
    use sseproof_record::http2::write_frame;
    use sseproof_record::{Bytes, Chunk};

    fn sent(window: Option<u32>, frames: &[(u32, &[u8])]) -> Run {
        Run::against(reference::answer).subscribe().edit(over_http2).edit(|last| {
            let mut out = Vec::new();
            for (stream, payload) in frames {
                write_frame(&mut out, kind::DATA, 0, *stream, payload);
            }
            last.transport.window = window;
            last.wire = vec![Chunk { at: last.started, bytes: Bytes::from(out) }];
        })
    }

    #[test]
    fn what_fits_passes() {
        sent(Some(4), &[(1, b"abcd")]).passes(&RULE);
        sent(Some(0), &[(1, b""), (3, b"of another stream")]).passes(&RULE);
        sent(None, &[(1, b"abcd")]).skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn what_is_more_fails() {
        let faults = sent(Some(4), &[(1, b"abc"), (1, b"de")]).faults(&RULE);
        assert!(faults[0].message.starts_with("5 bytes of DATA"), "{faults:?}");
    }
}
