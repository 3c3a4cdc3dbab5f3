//! A stream that is asked for with credentials needs them.

use super::{as_owner, without_credentials};
use crate::outcome::Outcome;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, reference};

pub(super) const RULE: Rule = Rule {
    id: "auth/required",
    judge,
    mutants: &[Mutant::new(
        "open-to-all",
        "gives a private stream to a client without credentials",
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
    let anonymous = match without_credentials(record) {
        Ok(anonymous) => anonymous,
        Err(verdict) => return verdict,
    };
    match Outcome::of(&anonymous) {
        Outcome::Stream => {
            let message = "a request without credentials gets the stream";
            Verdict::Fail(vec![Fault::new(&anonymous, Place::StatusLine, message)])
        }
        refused @ (Outcome::Status(_) | Outcome::Redirect(_) | Outcome::OtherType) => {
            Verdict::Pass(format!("{} without credentials", refused.describe()))
        }
        other => {
            Verdict::Inconclusive(format!("a request without credentials got {}", other.describe()))
        }
    }
}
