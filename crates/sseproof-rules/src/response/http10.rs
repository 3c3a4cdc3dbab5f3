//! An HTTP/1.0 client gets no chunks.

use sseproof_http::http1::Message;
use sseproof_record::{Framing, Headers, Version};

use crate::outcome::{Outcome, count, each_once, of_http1};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "response/http10",
    judge,
    mutants: &[Mutant::new("chunks-for-http10", "sends chunks to an HTTP/1.0 client", |visit| {
        let answer = reference::answer(visit);
        match visit.request.version {
            Version::Http10 => answer.with_framing(Framing::Chunked),
            _ => answer,
        }
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let mut answers = 0;
    for view in record.judged().filter(|view| view.request.version == Version::Http10) {
        let Some(headers) = headers(&view) else {
            let outcome = Outcome::of(&view);
            if !matches!(outcome, Outcome::NotHttp | Outcome::Refused | Outcome::Unreachable) {
                doubt = Some(format!("an HTTP/1.0 request got {}", outcome.describe()));
            }
            continue;
        };
        answers += 1;
        if let Some(coding) = headers.first("transfer-encoding") {
            let message =
                format!("an HTTP/1.0 request is answered with Transfer-Encoding: {coding}");
            faults.push(Fault::header(&view, "transfer-encoding", message));
        }
    }
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(each_once(faults)),
        _ if answers > 0 => Verdict::Pass(count(answers, "HTTP/1.0 request")),
        Some(doubt) => Verdict::Inconclusive(doubt),
        None => of_http1(record, "no HTTP/1.0 request was answered"),
    }
}

/// The fields as sent: a client may have removed some, or refused the answer.
fn headers(view: &View<'_>) -> Option<Headers> {
    let answered = Message::read(&view.wire_bytes(), &view.request.method).head;
    answered
        .map(|head| head.headers)
        .or_else(|| view.head.as_ref().map(|head| head.headers.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Ending, Plan, Request};
    use std::time::Duration;

    fn old(serve: Answer) -> Run {
        let mut request = Request::subscribe(URL);
        request.version = Version::Http10;
        Run::against(serve).visit(request, Duration::from_secs(1))
    }

    #[test]
    fn the_reference_and_a_refusal_pass() {
        old(reference::answer).passes(&RULE);
        old(|_| Plan::answer(505, "text/plain", "")).passes(&RULE);
    }

    #[test]
    fn the_mutant_fails_with_and_without_the_wire() {
        let run = old(RULE.mutants[0].serve);
        assert_eq!(
            run.faults(&RULE)[0].message,
            "an HTTP/1.0 request is answered with Transfer-Encoding: chunked"
        );
        run.edit(|last| last.wire.clear()).faults(&RULE);
        old(RULE.mutants[0].serve).edit(|last| last.head = None).faults(&RULE);
    }

    #[test]
    fn no_answer_is_no_verdict() {
        old(reference::answer)
            .edit(|last| {
                last.head = None;
                last.wire.clear();
                last.end.how = Ending::Truncated;
            })
            .is_inconclusive(&RULE);
    }

    #[test]
    fn chunks_for_everybody_else_are_right() {
        Run::against(reference::answer).subscribe().skips(&RULE);
    }
}
