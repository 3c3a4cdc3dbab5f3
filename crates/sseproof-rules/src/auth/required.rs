//! A stream that is asked for with credentials needs them.

use super::{as_owner, asked_as_nobody};
use crate::outcome::Outcome;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "auth/required",
    judge,
    mutants: &[Mutant::new(
        "open-to-all",
        "gives a private stream to who brings no credentials",
        |visit| {
            let request = visit.request;
            if request.path() != reference::PRIVATE || request.headers.has("authorization") {
                return reference::answer(visit);
            }
            as_owner(visit)
        },
    )
    .private()],
};

fn judge(record: &Record<'_>) -> Verdict {
    let nobody = match asked_as_nobody(record) {
        Ok(nobody) => nobody,
        Err(verdict) => return verdict,
    };
    match Outcome::of(&nobody) {
        Outcome::Stream => {
            let message = "the stream is given without the credentials of the target";
            Verdict::Fail(vec![Fault::new(&nobody, Place::StatusLine, message)])
        }
        refused @ (Outcome::Status(_) | Outcome::Redirect(_) | Outcome::OtherType) => {
            Verdict::Pass(format!("{} without credentials", refused.describe()))
        }
        other => {
            Verdict::Inconclusive(format!("without credentials there was {}", other.describe()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::probe;

    const STEPS: [(&str, &str, bool); 2] = [("owner", "ada", false), ("nobody", "", false)];

    #[test]
    fn a_stream_for_everybody_is_told() {
        probe(reference::answer, &STEPS).passes(&RULE);
        probe(RULE.mutants[0].serve, &STEPS).faults(&RULE);
        probe(reference::answer, &STEPS[..1]).skips(&RULE);
    }
}
