//! The answer to HEAD has no body.

use sseproof_http::http1::Message;
use sseproof_http::{Action, Bytes};
use sseproof_record::Role;

use crate::outcome::{Outcome, count, each_once, of_http1};
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
        if view.role == Some(Role::SameConnection) && Outcome::of(&view) == Outcome::NotHttp {
            let message = "the next answer on the connection begins with bytes that are not HTTP, written after the headers of an answer to HEAD";
            faults.push(Fault::new(&view, Place::Wire(0), message.to_owned()));
            heads += 1;
            continue;
        }
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
