//! The body is framed as the headers say, to the last byte.

use sseproof_http::http1::{Message, Progress};
use sseproof_record::{Action, Bytes, Ending, Framing, Plan, Version};

use super::{instead_of_finish, on_stream};
use crate::outcome::{count, each_once, of_http1};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "response/framing",
    judge,
    mutants: &[
        Mutant::new(
            "no-last-chunk",
            "closes the connection instead of sending the last chunk",
            |visit| on_stream(visit, |plan| instead_of_finish(plan, Action::Close)),
        ),
        Mutant::new("bad-chunk-size", "writes a line into the stream past its chunks", |visit| {
            let stray = [Action::Raw(Bytes::from("\r\n: stray\r\n")), Action::Hold];
            on_stream(visit, |plan| if chunked(&plan) { plan.cut(4, stray) } else { plan })
        }),
        Mutant::new(
            "bytes-behind-the-end",
            "continues to write after the end of the response",
            |visit| {
                on_stream(visit, |mut plan| {
                    plan.actions.push(Action::Raw(Bytes::from(": one more\n\n")));
                    plan
                })
            },
        ),
    ],
};

fn chunked(plan: &Plan) -> bool {
    let chunked =
        |action: &Action| matches!(action, Action::Head { framing: Framing::Chunked, .. });
    plan.actions.iter().any(chunked)
}

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut answers = 0;
    let mut doubt = None;
    let mut resets = Vec::new();
    for view in record.judged().filter(View::has_http1_wire) {
        let wire = view.wire_bytes();
        let message = Message::read(&wire, &view.request.method);
        let Some(head) = &message.head else { continue };
        let coded = head.headers.has("transfer-encoding");
        if coded && view.request.version == Version::Http10 {
            // That it is there at all is the fault: see `response/http10`.
            continue;
        }
        answers += 1;
        if coded && head.headers.has("content-length") {
            let offset = head.offset_of(&wire, "content-length").unwrap_or_default();
            let message = "the response has both Content-Length and Transfer-Encoding".to_owned();
            faults.push(fault(&view, offset, message).so(
                "the body has two ends: a proxy and a client may each choose another one, which allows request smuggling",
            ));
        }
        let found = body(&view, &wire, &message, &mut doubt);
        match view.end.how {
            Ending::Reset => resets.extend(found),
            _ => faults.extend(found),
        }
    }
    // The network may reset one connection; repeated resets are a fault.
    match resets.as_slice() {
        [one] if faults.is_empty() && answers > 1 => {
            doubt = Some(format!("exchange {}: {}, once", one.exchange, one.message));
        }
        _ => faults.extend(resets),
    }
    if !faults.is_empty() {
        return Verdict::Fail(each_once(faults));
    }
    match doubt {
        Some(doubt) => Verdict::Inconclusive(doubt),
        None if answers == 0 => of_http1(record, "no answer was recorded as sent"),
        None => Verdict::Pass(count(answers, "answer")),
    }
}

fn body(
    view: &View<'_>,
    wire: &[u8],
    message: &Message,
    doubt: &mut Option<String>,
) -> Option<Fault> {
    if let Some(flaw) = &message.flaw {
        return Some(fault(view, flaw.offset, flaw.describe(wire)).so(
            "the client stops here with a network error: the rest of this connection is lost",
        ));
    }
    let at_the_end = |message: String| fault(view, wire.len(), message);
    match (message.progress, &view.end.how) {
        // `response/head-no-body` judges bytes after an answer to HEAD.
        (Progress::Whole { end }, _) if end < wire.len() && view.request.method != "HEAD" => {
            let message =
                format!("{} after the end of the response", count(wire.len() - end, "byte"));
            Some(fault(view, end, message).so(
                "no client reads these bytes, and on a reused connection they are taken for the next answer",
            ))
        }
        (Progress::Whole { .. }, _) => None,
        (Progress::Body(place), Ending::Truncated) => Some(
            at_the_end(format!("the connection was closed {place}, so the body is not whole")).so(
                "a browser reports a network error and reconnects; a client based on fetch throws",
            ),
        ),
        (Progress::Body(place), Ending::Reset) => Some(
            at_the_end(format!("the connection was reset {place}, so the body is not whole"))
                .so(RESET),
        ),
        (Progress::UntilClose, Ending::Reset) => Some(
            at_the_end(
                "the connection was reset, so the client does not know whether the body is whole"
                    .to_owned(),
            )
            .so(RESET),
        ),
        // `response/head-syntax` judges headers that a client refuses.
        (_, Ending::Malformed(word))
            if message.head.as_ref().is_some_and(|head| head.flaws.is_empty()) =>
        {
            *doubt = Some(format!(
                "the HTTP client rejected an answer, and the fault was not found: {word}"
            ));
            None
        }
        _ => None,
    }
}

const RESET: &str = "causes: a crash, a killed worker, a close with unread input, a proxy or firewall on the way; bytes on their way may be lost";

fn fault(view: &View<'_>, offset: usize, message: String) -> Fault {
    Fault::new(view, Place::Wire(offset as u64), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Chunk, Request};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(3);

    fn wire(head: &str, body: &str, how: Ending) -> Run {
        let bytes = Bytes::from(&format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}"));
        Run::against(reference::answer).subscribe().edit(|last| {
            last.wire = vec![Chunk { at: last.started, bytes }];
            last.end.how = how;
        })
    }

    const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";
    // "HTTP/1.1 200 OK" and CHUNKED, with their line ends and the blank line.
    const CHUNKED_HEAD: u64 = 47;

    #[test]
    fn the_reference_passes_left_or_ended() {
        let subscribe = || Request::subscribe(URL);
        Run::against(reference::answer).visit(subscribe(), LONG).subscribe().passes(&RULE);
        let mut old = subscribe();
        old.version = Version::Http10;
        Run::against(reference::answer).visit(old, LONG).passes(&RULE);
    }

    #[test]
    fn each_mutant_fails() {
        let expected = [
            "the connection was closed before a chunk size, so the body is not whole",
            "expected a chunk size, found `\\r`",
            "12 bytes after the end of the response",
        ];
        for (mutant, message) in RULE.mutants.iter().zip(expected) {
            let request = Request::subscribe(URL);
            let run = Run::against(mutant.serve).visit(request, LONG);
            let faults = run.faults(&RULE);
            assert_eq!(faults.len(), 1, "{}", mutant.id);
            assert_eq!(faults[0].message, message);
        }
    }

    #[test]
    fn the_offset_is_that_of_the_byte() {
        let run = wire(CHUNKED, "5\r\nhelloX", Ending::Malformed("x".into()));
        assert_eq!(run.faults(&RULE)[0].place, Place::Wire(CHUNKED_HEAD + 8));
        let run = wire(CHUNKED, "5\r\nhel", Ending::Truncated);
        assert_eq!(run.faults(&RULE)[0].place, Place::Wire(CHUNKED_HEAD + 6));
        let run = wire("Content-Length: 9\r\n", "hel", Ending::Truncated);
        assert!(run.faults(&RULE)[0].message.contains("inside a body of a stated length"));
    }

    #[test]
    fn leaving_in_the_middle_is_our_own_doing() {
        for how in [Ending::Left, Ending::OverLimit(4)] {
            for part in ["", "5", "5\r\nhel", "5\r\nhello\r"] {
                wire(CHUNKED, part, how.clone()).passes(&RULE);
            }
            wire("Content-Length: 9\r\n", "hel", how).passes(&RULE);
        }
    }

    #[test]
    fn a_reset_counts_only_before_the_end() {
        let again = |head, body| {
            let run = wire(head, body, Ending::Reset);
            let twin = run.transcript().exchanges[0].clone();
            run.subscribe().edit(|last| {
                last.wire = twin.wire;
                last.end.how = twin.end.how;
            })
        };
        assert!(again(CHUNKED, "5\r\nhel").faults(&RULE)[0].message.contains("reset"));
        again("", "data: x\n\n").faults(&RULE);
        wire(CHUNKED, "0\r\n\r\n", Ending::Reset).passes(&RULE);
        wire("", "data: x\n\n", Ending::Complete).passes(&RULE);
    }

    #[test]
    fn one_reset_may_be_the_network() {
        for (head, body) in [(CHUNKED, "5\r\nhel"), ("", "data: x\n\n")] {
            wire(head, body, Ending::Reset).subscribe().is_inconclusive(&RULE);
            // No other answer shows that the network lets any through.
            wire(head, body, Ending::Reset).faults(&RULE);
        }
    }

    #[test]
    fn two_framings_at_once_fail() {
        let run = wire(
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
            Ending::Complete,
        );
        assert_eq!(run.faults(&RULE)[0].place, Place::Wire(17));
    }

    #[test]
    fn a_refusal_without_a_fault_that_we_see_is_no_verdict() {
        wire(CHUNKED, "5\r\nhel", Ending::Malformed("odd".into())).is_inconclusive(&RULE);
    }

    #[test]
    fn a_head_that_is_refused_is_not_judged_here() {
        wire("X Y: 1\r\n", "data: x\n\n", Ending::Malformed("odd".into())).passes(&RULE);
    }

    #[test]
    fn what_other_rules_judge_is_left_to_them() {
        wire(CHUNKED, "nonsense", Ending::Left)
            .edit(|last| last.request.version = Version::Http10)
            .skips(&RULE);
        wire("", "bytes", Ending::Complete)
            .edit(|last| last.request.method = "HEAD".to_owned())
            .passes(&RULE);
        wire("", "", Ending::Left).edit(|last| last.wire.clear()).skips(&RULE);
    }

    #[test]
    fn an_answer_without_content_has_none() {
        let run = wire("", "", Ending::Complete).edit(|last| {
            let bytes = Bytes::from("HTTP/1.1 204 No Content\r\n\r\nhello");
            last.wire = vec![Chunk { at: last.started, bytes }];
        });
        assert_eq!(run.faults(&RULE)[0].message, "5 bytes after the end of the response");
    }
}
