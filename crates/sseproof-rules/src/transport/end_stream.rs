//! A stream that the server ends is ended by END_STREAM.

use sseproof_http::http2::{error_name, kind};
use sseproof_http::{Action, Bytes};
use sseproof_record::Ending;

use crate::outcome::{count, each_once};
use crate::{Fault, Mutant, Over, Record, Rule, Verdict};

use super::{NO_HTTP2, answers, on_stream};

pub(super) const RULE: Rule = Rule {
    id: "transport/end-stream",
    judge,
    mutants: &[Mutant::new(
        "h2-reset-for-end",
        "ends each stream with RST_STREAM instead of END_STREAM",
        |visit| {
            on_stream(visit, |mut plan| {
                for action in &mut plan.actions {
                    if *action == Action::Finish {
                        let payload = Bytes::from(&[0; 4]);
                        *action = Action::Frame { kind: kind::RST_STREAM, flags: 0, payload };
                    }
                }
                plan
            })
        },
    )
    .over(Over::Http2)],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let (mut seen, mut ended) = (0, 0);
    for view in answers(record) {
        seen += 1;
        // A short answer is ended by other code than a stream is, and says nothing of it.
        if !view.is_stream() || view.request.method == "HEAD" {
            continue;
        }
        ended += usize::from(view.ended_by_server());
        // RST_STREAM after END_STREAM is allowed, and ends the stream otherwise.
        if let Ending::StreamReset(code) = view.end.how {
            let message = format!(
                "the response was cut by RST_STREAM ({}), without END_STREAM before",
                error_name(code)
            );
            faults.push(Fault::whole(&view, message));
        }
    }
    match faults.as_slice() {
        [] if seen == 0 => Verdict::Skip(NO_HTTP2.to_owned()),
        [] if ended == 0 => {
            Verdict::Skip("the server ended no response over HTTP/2 while we listened".to_owned())
        }
        // One crash, or one proxy that restarts, does not show a habit.
        [one] if ended > 1 => Verdict::Inconclusive(format!("{}, once", one.message)),
        _ => Verdict::from_faults(each_once(faults), count(ended, "end")),
    }
}
