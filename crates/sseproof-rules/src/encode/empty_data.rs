//! An event without a text is an event.

use sseproof_record::{Part, PublishOutcome};

use super::trials::trials_of;
use super::{data_lines, publishing, with_line_feeds};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "encode/empty-data",
    judge,
    mutants: &[
        Mutant::new("drops-empty", "takes empty data and sends nothing", |visit| {
            publishing(visit, |data| lines_or(data, b""))
        }),
        Mutant::new(
            "empty-without-data",
            "writes a block without a data field for empty data",
            |visit| publishing(visit, |data| lines_or(data, b"\n")),
        ),
    ],
};

fn lines_or(data: &str, empty: &[u8]) -> Vec<u8> {
    if data.is_empty() { empty.to_vec() } else { data_lines(with_line_feeds(data).split('\n')) }
}

fn judge(record: &Record<'_>) -> Verdict {
    let trials = match trials_of(record, Part::Data) {
        Ok(trials) => trials,
        Err(verdict) => return verdict,
    };
    let mut faults = Vec::new();
    let mut note = None;
    for trial in trials.iter().filter(|trial| trial.published.data.is_empty()) {
        if trial.is_intact() {
            note = Some("it arrives");
        } else if trial.published.outcome == PublishOutcome::Accepted {
            let message = match trial.events().next() {
                Some(_) => "empty data was taken and arrives as something else",
                None => "empty data was taken and never arrives",
            };
            faults.push(Fault::at(&trial.view, trial.closing, message));
        } else if matches!(trial.published.outcome, PublishOutcome::Refused(_)) {
            note = Some("it is refused");
        }
    }
    faults.truncate(1);
    match note {
        None if faults.is_empty() => {
            Verdict::Inconclusive("what became of empty data could not be seen".to_owned())
        }
        note => Verdict::from_faults(faults, note.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::testing::{answered, published, published_to};
    use crate::reference;

    #[test]
    fn an_empty_event_is_enough() {
        published(b"data\n\n", "").passes(&RULE);
        published_to(reference::answer, "").passes(&RULE);
    }

    #[test]
    fn a_block_without_data_is_none() {
        for mutant in RULE.mutants {
            let faults = published_to(mutant.serve, "").faults(&RULE);
            assert_eq!(faults[0].message, "empty data was taken and never arrives");
        }
    }

    #[test]
    fn null_is_something_else() {
        let faults = published(b"data: null\n\n", "").faults(&RULE);
        assert_eq!(faults[0].message, "empty data was taken and arrives as something else");
    }

    #[test]
    fn it_may_be_refused() {
        answered(b"", "", PublishOutcome::Refused("400".to_owned())).passes(&RULE);
        answered(b"", "", PublishOutcome::Unanswered("no answer".to_owned()))
            .is_inconclusive(&RULE);
    }
}
