//! An id of one user does not give that user's events to another.

use std::collections::BTreeSet;

use sseproof_record::Role;

use super::{asked_as, no_credentials};
use crate::outcome::{Outcome, count};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(super) const RULE: Rule = Rule {
    id: "auth/other-user",
    judge,
    mutants: &[Mutant::new(
        "id-of-another",
        "resumes the stream of another user by its id",
        |visit| {
            let request = visit.request;
            let id = request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
            let user = id.split('-').next().unwrap_or_default().to_owned();
            let is_known =
                request.path() == reference::PRIVATE && reference::USERS.contains(&&*user);
            if !is_known || !request.headers.has("authorization") {
                return reference::answer(visit);
            }
            let request = request.clone().with("Authorization", format!("Bearer {user}"));
            reference::answer(&sseproof_http::Visit { request: &request, ..*visit })
        },
    )
    .private()],
};

fn judge(record: &Record<'_>) -> Verdict {
    let Some(owner) = asked_as(record, Role::Owner) else {
        return no_credentials(record);
    };
    let Some(other) = asked_as(record, Role::OtherUser) else {
        return Verdict::Skip(
            "there is no second user; add one to the file of --target, as in `other: { headers: { Authorization: Bearer … } }`"
                .to_owned(),
        );
    };
    for (user, view) in [("the target", owner), ("the other user", other)] {
        if !view.is_stream() {
            let got = Outcome::of(&view).describe();
            return Verdict::Skip(format!("the credentials of {user} got {got}"));
        }
    }
    let private = events(&owner);
    if private.is_empty() {
        return Verdict::Skip("the stream sent the first user no id".to_owned());
    }
    let Some(again) = asked_as(record, Role::OtherUserResumes) else {
        return Verdict::Skip("the second user sent no id of the first".to_owned());
    };
    // Events that both users get in any case are not private.
    if let Some((id, _)) = events(&other).intersection(&private).next() {
        return Verdict::Skip(format!(
            "both users get the event with the id `{id}`, so the stream is not private"
        ));
    }
    if !again.is_stream() {
        return Verdict::Pass(format!(
            "{} for the id of another user",
            Outcome::of(&again).describe()
        ));
    }
    let leaked = again.events().find(|(event, _)| {
        private.contains(&(event.last_event_id.to_string(), event.data.to_string()))
    });
    match leaked {
        Some((event, _)) => {
            let id = again.request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
            let message = format!(
                "the second user resumed after the id `{id}` of the first user and received that user's event `{}`",
                event.last_event_id
            );
            Verdict::Fail(vec![Fault::at(&again, event.span.start, message)])
        }
        None => {
            let got = again.events().count();
            Verdict::Pass(format!("{}, none of them the first user's", count(got, "event")))
        }
    }
}

/// The events of the stream that have an id.
fn events(view: &View<'_>) -> BTreeSet<(String, String)> {
    let with_id = view.events().filter(|(event, _)| !event.last_event_id.is_empty());
    with_id.map(|(event, _)| (event.last_event_id.to_string(), event.data.to_string())).collect()
}
