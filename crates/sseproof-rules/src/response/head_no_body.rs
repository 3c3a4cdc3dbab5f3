//! The answer to HEAD has no body.

use sseproof_http::http1::Message;
use sseproof_record::{Action, Bytes};

use crate::outcome::{count, each_once, of_http1};
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "response/head-no-body",
    judge,
    mutants: &[Mutant::new(
        "head-with-body",
        "writes the beginning of the stream after the answer to HEAD",
        |visit| {
            let mut answer = reference::answer(visit);
            if visit.request.method == "HEAD" {
                answer.actions.push(Action::Raw(Bytes::from(": sseproof\n\n")));
            }
            answer
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut heads = 0;
    let asked = record.judged().filter(|view| view.request.method == "HEAD");
    for view in asked.filter(View::has_http1_wire) {
        let wire = view.wire_bytes();
        let Some(head) = Message::read(&wire, &view.request.method).head else { continue };
        heads += 1;
        if head.end < wire.len() {
            let message = format!(
                "{} after the headers of an answer to HEAD",
                count(wire.len() - head.end, "byte")
            );
            faults.push(Fault::new(&view, Place::Wire(head.end as u64), message));
        }
    }
    if heads == 0 {
        return of_http1(record, "no answer to HEAD was recorded as sent");
    }
    Verdict::from_faults(each_once(faults), count(heads, "HEAD request"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Answer, Request};
    use std::time::Duration;

    fn head(serve: Answer) -> Run {
        let mut request = Request::subscribe(URL);
        request.method = "HEAD".to_owned();
        Run::against(serve).visit(request, Duration::from_secs(1))
    }

    #[test]
    fn a_length_alone_is_no_body() {
        head(reference::answer).passes(&RULE);
        head(|visit| {
            let framing = sseproof_record::Framing::Length(99);
            reference::answer(visit).with_framing(framing)
        })
        .passes(&RULE);
    }

    #[test]
    fn the_mutant_fails_after_its_headers() {
        let run = head(RULE.mutants[0].serve);
        let faults = run.faults(&RULE);
        assert_eq!(faults[0].message, "12 bytes after the headers of an answer to HEAD");
        let length = run.with_record(|record| record.exchange(1).unwrap().wire_bytes().len());
        assert_eq!(faults[0].place, Place::Wire(length as u64 - 12));
    }

    #[test]
    fn without_head_or_the_wire_there_is_nothing_to_judge() {
        Run::against(reference::answer).subscribe().skips(&RULE);
        head(RULE.mutants[0].serve).edit(|last| last.wire.clear()).skips(&RULE);
    }
}
