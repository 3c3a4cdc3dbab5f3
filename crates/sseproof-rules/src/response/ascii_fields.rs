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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Run;
    use crate::{Place, reference};

    #[test]
    fn ascii_passes_and_no_answer_skips() {
        let run = || Run::against(reference::answer).subscribe();
        run().passes(&RULE);
        run().edit(|last| last.head = None).skips(&RULE);
    }

    #[test]
    fn the_mutant_fails_once_and_names_the_header() {
        let faults = Run::against(RULE.mutants[0].serve).subscribe().subscribe().faults(&RULE);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].place, Place::Header("x-topic".to_owned()));
    }
}
