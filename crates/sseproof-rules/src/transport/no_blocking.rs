//! The streams on one HTTP/2 connection do not wait for each other.

use sseproof_record::http2::kind;
use sseproof_record::{Action, Bytes};

use super::sharing::{PAGES, joined, single};
use super::{NO_HTTP2, answers, on_stream};
use crate::outcome::count;
use crate::{Mutant, Over, Record, Rule, Single, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "transport/no-blocking",
    judge,
    mutants: &[
        Mutant::new(
            "h2-one-at-a-time",
            "answers the second stream of a connection only when the first is over",
            |visit| {
                let waits = visit.beside > 0;
                on_stream(visit, |plan| if waits { plan.after([Action::Hold]) } else { plan })
            },
        )
        .over(Over::Http2),
        Mutant::new("h2-one-allowed", "allows one stream at a time on a connection", |visit| {
            on_stream(visit, |plan| plan.after([Action::Raw(one_stream())]))
        })
        .over(Over::Http2),
    ],
};

/// SETTINGS that allow one stream.
fn one_stream() -> Bytes {
    let mut out = Vec::new();
    sseproof_record::http2::write_frame(&mut out, kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]);
    Bytes::from(out)
}

fn judge(record: &Record<'_>) -> Verdict {
    let singles =
        joined(record, false).map(|(view, opener)| match single(record, &view, &opener) {
            Single::Broken(fault) => Single::Broken(fault.so(PAGES)),
            single => single,
        });
    let holds = |flows| format!("{} beside another one", count(flows, "stream"));
    Single::sum(singles, holds, no_pair(record, "no two streams were on one connection"))
}

/// The reason to skip without two streams on one connection: HTTP/2 was not spoken, or else this.
pub(super) fn no_pair<'w>(record: &Record<'_>, otherwise: &'w str) -> &'w str {
    if answers(record).next().is_none() { NO_HTTP2 } else { otherwise }
}

#[cfg(test)]
mod tests {
    use super::super::sharing::testing::{held, sharing};
    use super::*;
    use crate::reference;
    use crate::testing::Run;
    use sseproof_record::{Chunk, Ending, Phase};

    #[test]
    fn streams_that_flow_pass_and_no_such_streams_skip() {
        sharing(None).passes(&RULE);
        sharing(Some(0)).skips(&RULE);
        Run::against(reference::answer).subscribe().skips(&RULE);
    }

    #[test]
    fn no_events_no_head_and_a_refusal_fail() {
        let faults = held(None).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "no event came within 2.00 s of the response headers beside the open stream of exchange 2, on the same connection; a stream alone on its connection has its first one after 50 ms"
        );
        let no_head = |how: Ending| {
            held(None).edit(|second| {
                second.head = None;
                second.end.how = how;
            })
        };
        let faults = no_head(Ending::TimedOut(Phase::Head)).faults(&RULE);
        assert!(faults[0].message.starts_with("no response headers came within"), "{faults:?}");
        let faults = no_head(Ending::StreamReset(7)).faults(&RULE);
        assert!(faults[0].message.contains("REFUSED_STREAM"), "{faults:?}");
        no_head(Ending::Truncated).is_inconclusive(&RULE);
    }

    #[test]
    fn a_limit_of_one_is_named() {
        let limited = held(None)
            .edit_at(2, |first| {
                first.wire = vec![Chunk { at: first.started, bytes: one_stream() }];
            })
            .edit(|second| {
                second.head = None;
                second.transport.stream = None;
            });
        let faults = limited.faults(&RULE);
        let limit = "the server allows 1 at a time (SETTINGS_MAX_CONCURRENT_STREAMS)";
        assert!(faults[0].message.ends_with(limit), "{faults:?}");
    }

    #[test]
    fn a_stream_that_has_to_outwait_the_other_fails() {
        // The first stream ends after two seconds.
        let head_after = |millis| {
            let time = std::time::Duration::from_millis(millis);
            sharing(None)
                .edit_at(2, |first| {
                    first.end.at = first.started + std::time::Duration::from_secs(2);
                    first.end.how = Ending::Complete;
                })
                .edit(|second| {
                    let head = second.head.as_mut().unwrap();
                    head.at = second.started + time;
                    second.body.iter_mut().for_each(|chunk| chunk.at += time);
                })
        };
        let faults = head_after(1_950).faults(&RULE);
        assert!(faults[0].message.contains("when the stream of exchange 2"), "{faults:?}");
        head_after(1_000).passes(&RULE);
    }

    #[test]
    fn a_slow_server_and_a_quick_look_are_thin() {
        held(None).edit_at(1, |alone| alone.body.clear()).is_inconclusive(&RULE);
        held(None)
            .edit(|second| second.end.at = second.started + std::time::Duration::from_secs(1))
            .is_inconclusive(&RULE);
        held(None).edit(|second| second.head.as_mut().unwrap().status = 429).is_inconclusive(&RULE);
    }
}
