//! The body is framed as the headers say, to the last byte.

use sseproof_http::http1::{Message, Progress};
use sseproof_http::{Action, Bytes, Framing, Plan, Version};
use sseproof_record::Ending;

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
    for view in record.judged().filter(View::is_http2) {
        if let Ending::Malformed(why) = &view.end.how {
            faults.push(
                Fault::whole(&view, why.clone())
                    .so("the client ends the connection, and with it every stream on it"),
            );
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
