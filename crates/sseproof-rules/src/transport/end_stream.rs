//! A stream that the server ends is ended by END_STREAM.

use sseproof_record::http2::{error_name, kind};
use sseproof_record::{Action, Bytes, Ending};

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

#[cfg(test)]
mod tests {
    use super::super::over_http2;
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::Request;
    use std::time::Duration;

    fn ended(run: Run, how: Ending) -> Run {
        run.visit(Request::subscribe(URL), Duration::from_secs(5))
            .edit(over_http2)
            .edit(|last| last.end.how = how)
    }

    fn run() -> Run {
        Run::against(reference::answer)
    }

    #[test]
    fn an_end_passes_and_no_end_is_no_verdict() {
        ended(run(), Ending::Complete).passes(&RULE);
        ended(run(), Ending::Left).skips(&RULE);
        run().subscribe().skips(&RULE);
    }

    #[test]
    fn a_reset_fails_with_its_code() {
        let faults = ended(run(), Ending::StreamReset(2)).faults(&RULE);
        assert!(faults[0].message.contains("INTERNAL_ERROR"), "{faults:?}");
    }

    #[test]
    fn an_answer_that_is_no_stream_excuses_nothing() {
        let refused = ended(run(), Ending::Complete).edit(|last| {
            if let Some(head) = &mut last.head {
                head.status = 405;
            }
        });
        ended(refused, Ending::StreamReset(2)).faults(&RULE);
    }

    #[test]
    fn one_of_many_is_no_habit() {
        let one = ended(ended(run(), Ending::StreamReset(2)), Ending::Complete);
        one.is_inconclusive(&RULE);
        ended(one, Ending::StreamReset(2)).faults(&RULE);
    }
}
