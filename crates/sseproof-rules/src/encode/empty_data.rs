//! An event without a text is an event.

use sseproof_record::{Part, PublishOutcome};

use super::trials::trials_of;
use super::{data_lines, publishing, with_line_feeds};
use crate::{Mutant, Record, Rule, Verdict};

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
        let message = match &trial.published.outcome {
            _ if trial.is_intact() => {
                note = Some("it arrives");
                continue;
            }
            PublishOutcome::Accepted => match trial.events().next() {
                Some(_) => "empty data was taken and arrives as something else".to_owned(),
                None => "empty data was taken and never arrives".to_owned(),
            },
            PublishOutcome::Failed(said) | PublishOutcome::Unanswered(said) => {
                format!("empty data is neither delivered nor refused: {said}")
            }
            PublishOutcome::Refused(_) => {
                note = Some("it is refused");
                continue;
            }
            _ => continue,
        };
        faults.push(trial.absent(message));
    }
    faults.truncate(1);
    match note {
        None if faults.is_empty() => {
            Verdict::Inconclusive("empty data could not be followed to the end".to_owned())
        }
        note => Verdict::from_faults(faults, note.unwrap_or_default()),
    }
}
