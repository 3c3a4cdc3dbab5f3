//! An id of one user does not give that user's events to another.

use std::collections::BTreeSet;

use sseproof_record::Role;

use super::{NO_CREDENTIALS, asked_as};
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
            reference::answer(&sseproof_record::Visit { request: &request, ..*visit })
        },
    )
    .private()],
};

fn judge(record: &Record<'_>) -> Verdict {
    let Some(owner) = asked_as(record, Role::Owner) else {
        return Verdict::Skip(NO_CREDENTIALS.to_owned());
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
    let Some(again) = asked_as(record, Role::OtherUserResumes).filter(|_| !private.is_empty())
    else {
        return Verdict::Skip("the stream sent the first user no id".to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::probe;

    const STEPS: [(&str, &str, bool); 3] =
        [("owner", "ada", false), ("other", "bob", false), ("other-again", "bob", true)];

    #[test]
    fn the_id_of_another_user_gives_none_of_their_events() {
        probe(reference::answer, &STEPS).passes(&RULE);
        let faults = probe(RULE.mutants[0].serve, &STEPS).faults(&RULE);
        assert_eq!(faults[0].exchange, 3);
        assert!(faults[0].message.contains("`ada-"), "{faults:?}");
    }

    #[test]
    fn what_both_get_is_not_private() {
        let same = [("owner", "ada", false), ("other", "ada", false), ("other-again", "ada", true)];
        let run = probe(reference::answer, &same);
        let body = run.transcript().exchanges[0].body.clone();
        run.edit_at(2, |other| other.body = body).skips(&RULE);
    }

    #[test]
    fn what_was_not_asked_is_skipped() {
        probe(reference::answer, &[]).skips(&RULE);
        probe(reference::answer, &STEPS[..1]).skips(&RULE);
        probe(reference::answer, &STEPS[..2]).skips(&RULE);
        let refused =
            [("owner", "ada", false), ("other", "eve", false), ("other-again", "eve", true)];
        probe(reference::answer, &refused).skips(&RULE);
    }
}
