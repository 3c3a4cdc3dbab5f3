//! Header values are ASCII.

use super::on_stream;
use crate::outcome::each_of;
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "response/ascii-headers",
    judge,
    mutants: &[Mutant::new("utf8-header", "sends a header with UTF-8 in its value", |visit| {
        on_stream(visit, |plan| plan.with_header("X-Topic", "café"))
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let answers = record.judged().filter(|view| view.head.is_some());
    each_of(answers, "answer", "there was no answer", |view| {
        let headers = view.head.iter().flat_map(|head| &head.headers.0);
        let faults = headers.filter(|header| !header.value.is_ascii()).map(|header| {
            let message =
                format!("the value of {} is not ASCII: {}", header.name, header.value.escaped());
            Fault::header(view, &header.name.to_ascii_lowercase(), message)
        });
        faults.collect::<Vec<_>>()
    })
}
