//! A client that resumes a stream needs the same credentials as a new client.

use sseproof_record::Role;

use super::{as_owner, asked_as, without_credentials};
use crate::outcome::Outcome;
use crate::{Fault, Mutant, Place, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "auth/resume-authorised",
    judge,
    mutants: &[Mutant::new(
        "id-as-credentials",
        "lets in any client that sends an id, without credentials",
        |visit| {
            let request = visit.request;
            let is_private = request.path() == reference::PRIVATE;
            if !is_private
                || request.last_event_id().is_none()
                || request.headers.has("authorization")
            {
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
    if anonymous.is_stream() {
        return Verdict::Skip("the stream needs no credentials".to_owned());
    }
    let Some(again) = asked_as(record, Role::AnonymousResumes) else {
        let gave = |view: View<'_>| view.events().any(|(event, _)| event.sets_id);
        return Verdict::Skip(match asked_as(record, Role::Owner).is_some_and(gave) {
            true => "no request without credentials sent an id".to_owned(),
            false => "the stream sent no id to resume after".to_owned(),
        });
    };
    let refused = Outcome::of(&anonymous);
    if again.is_stream() {
        let message = format!(
            "a request without credentials gets {}, and with a `Last-Event-ID` it gets the stream",
            refused.describe()
        );
        return Verdict::Fail(vec![Fault::new(&again, Place::StatusLine, message)]);
    }
    match Outcome::of(&again) {
        Outcome::Status(_) | Outcome::Redirect(_) | Outcome::OtherType => {
            Verdict::Pass(format!("{}, with an id and without", refused.describe()))
        }
        other => {
            Verdict::Inconclusive(format!("a client that sent an id got {}", other.describe()))
        }
    }
}
