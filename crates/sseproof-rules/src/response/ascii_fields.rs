//! Header values are ASCII.

use super::on_stream;
use crate::outcome::{count, each_once};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "response/ascii-headers",
    judge,
    mutants: &[Mutant::new("utf8-header", "sends a header with UTF-8 in its value", |visit| {
        on_stream(visit, |plan| plan.with_header("X-Topic", "café"))
    })],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut heads = 0;
    for view in record.judged() {
        let Some(head) = &view.head else { continue };
        heads += 1;
        for header in head.headers.0.iter().filter(|header| !header.value.is_ascii()) {
            let message =
                format!("the value of {} is not ASCII: {}", header.name, header.value.escaped());
            faults.push(Fault::header(&view, &header.name.to_ascii_lowercase(), message));
        }
    }
    if heads == 0 {
        return Verdict::Skip("there was no answer".to_owned());
    }
    Verdict::from_faults(each_once(faults), count(heads, "answer"))
}
