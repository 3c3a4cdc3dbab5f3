//! An HTTP/1.0 client gets no chunks.

use sseproof_http::http1::Message;
use sseproof_http::{Framing, Headers, Version};

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
    // Chunk sizes in every stream have another cause: see `response/transfer-encoding`.
    let others_are_chunked = record
        .judged()
        .any(|view| view.request.version != Version::Http10 && view.chunks().is_some());
    for view in record.judged().filter(|view| view.request.version == Version::Http10) {
        let Some(headers) = headers(&view) else {
            let outcome = Outcome::of(&view);
            if !matches!(outcome, Outcome::NotHttp | Outcome::Refused | Outcome::Unreachable) {
                doubt = Some(format!("an HTTP/1.0 request got {}", outcome.describe()));
            }
            continue;
        };
        answers += 1;
        if let Some(chunks) = view.chunks().filter(|_| !others_are_chunked) {
            let message = format!(
                "an HTTP/1.0 request is answered in chunks: `{}` is the size of the first",
                chunks.size
            );
            faults.push(Fault::at(&view, chunks.offset, message));
        }
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
