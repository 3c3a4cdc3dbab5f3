//! A live stream has no Content-Length.

use sseproof_http::{Action, Framing};
use sseproof_record::Ending;

use super::{instead_of_finish, on_stream};
use crate::outcome::{NO_STREAM, count, each_once, stream_answers};
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "response/content-length",
    judge,
    mutants: &[Mutant::new(
        "stated-length",
        "states a length for a stream that has none",
        |visit| {
            on_stream(visit, |plan| {
                instead_of_finish(plan, Action::Hold).with_framing(Framing::Length(1_000_000))
            })
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut streams, mut whole) = (0, 0);
    // Where one answer came to its stated end, the others are as finite, and the client disconnected early.
    let is_finite = stream_answers(record)
        .any(|view| length(&view).is_some() && view.end.how == Ending::Complete);
    for view in stream_answers(record) {
        streams += 1;
        let Some(length) = length(&view) else { continue };
        let is_whole = length.parse().is_ok_and(|length: u64| view.came_len() >= length);
        let open = matches!(view.end.how, Ending::Disconnected | Ending::OverLimit(_))
            && !is_whole
            && !is_finite;
        if open && view.events().next().is_some() {
            let message = format!("Content-Length is {length}, and the stream goes on");
            faults.push(Fault::header(&view, "content-length", message));
        } else if view.end.how == Ending::Complete {
            whole += 1;
        }
    }
    if streams == 0 {
        return Verdict::Skip(NO_STREAM.to_owned());
    }
    let note = match whole {
        0 => count(streams, "stream"),
        _ => format!("{}, {whole} of them finite and sent whole", count(streams, "stream")),
    };
    Verdict::from_faults(each_once(faults), note)
}

/// The length that counts: beside Transfer-Encoding it counts for nothing, see `response/framing`.
fn length(view: &View<'_>) -> Option<String> {
    let headers = &view.head.as_ref()?.headers;
    headers.first("content-length").filter(|_| !headers.has("transfer-encoding"))
}
