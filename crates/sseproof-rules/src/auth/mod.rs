//! Rules on who is given the stream: they look at the probe `auth`, which asks for it as its user,
//! without credentials, and as another user.

mod in_the_clear;
mod other_user;
mod required;
mod resume_authorised;

use sseproof_http::{Plan, Visit};
use sseproof_record::Role;

use crate::outcome::Outcome;
use crate::{Family, LooksAt, Record, Verdict, View, reference};

pub(crate) const FAMILY: Family = Family {
    looks_at: LooksAt::Run,
    rules: &[&resume_authorised::RULE, &other_user::RULE, &required::RULE, &in_the_clear::RULE],
};

/// The reason to skip where the target has no credentials.
const NO_CREDENTIALS: &str =
    "the target has no credentials; give them with -H 'Authorization: Bearer …'";

/// Why no request was made as the user of the target: there are no credentials, or the probe was
/// left out.
fn no_credentials(record: &Record<'_>) -> Verdict {
    Verdict::Skip(match record.all().any(|view| view.request.has_credentials()) {
        true => "no request compared the stream with and without the credentials".to_owned(),
        false => NO_CREDENTIALS.to_owned(),
    })
}

/// The exchange of that role: the last one, where redirects were followed.
fn asked_as<'r>(record: &'r Record<'_>, role: Role) -> Option<View<'r>> {
    record.all().filter(|view| view.role == Some(role)).last()
}

/// The exchange without credentials, if the user of the target gets the stream; or why there
/// is nothing to compare.
fn without_credentials<'r>(record: &'r Record<'_>) -> Result<View<'r>, Verdict> {
    let (Some(owner), Some(anonymous)) =
        (asked_as(record, Role::Owner), asked_as(record, Role::Anonymous))
    else {
        return Err(no_credentials(record));
    };
    if !owner.is_stream() {
        let got = Outcome::of(&owner).describe();
        return Err(Verdict::Skip(format!("the credentials of the target got {got}")));
    }
    Ok(anonymous)
}

/// For mutants: what the reference answers to the user whose stream is private.
fn as_owner(visit: &Visit<'_>) -> Plan {
    let request = visit.request.clone().with("Authorization", "Bearer ada");
    reference::answer(&Visit { request: &request, ..*visit })
}
