//! The ids of the hub are IRIs.

use sseproof_record::{Action, Bytes, Plan};

use super::reference::{self, ID};
use super::traffic::{each_taken, seen, streams};
use crate::{Fault, Mutant, Record, Rule, Verdict};

pub(super) const RULE: Rule = Rule {
    id: "mercure/generated-id",
    judge,
    mutants: &[Mutant::new(
        "mercure-bare-number",
        "numbers the updates and says nothing but the number",
        |visit| {
            let mut request = visit.request.clone();
            let named = request.last_event_id().map(|id| id.to_text());
            if let Some(number) = named.filter(|id| id.parse::<u64>().is_ok()) {
                request.headers.set("Last-Event-ID", format!("{ID}{number}"));
            }
            let numbered = request.url.replace("last_event_id=", "last_event_id=urn%3Asseproof%3A");
            if !request.url.contains("earliest") {
                request.url = numbered;
            }
            let visit = sseproof_record::Visit { request: &request, ..*visit };
            let bare = |bytes: Bytes| Bytes::from(bytes.to_text().replace(ID, ""));
            let actions =
                reference::answer(&visit).actions.into_iter().map(|action| match action {
                    Action::Write(bytes) => Action::Write(bare(bytes)),
                    Action::Publish { topic, bytes } => {
                        Action::Publish { topic, bytes: bare(bytes) }
                    }
                    Action::FollowBehind { topic, line } => {
                        Action::FollowBehind { topic, line: bare(line) }
                    }
                    Action::Head {
                        status,
                        mut headers,
                        framing: sseproof_record::Framing::Length(_),
                    } => {
                        headers.remove("Content-Length");
                        Action::Head { status, headers, framing: sseproof_record::Framing::Chunked }
                    }
                    Action::Head { status, mut headers, framing } => {
                        if let Some(told) = headers.first("mercure-last-event-id") {
                            headers.set("Mercure-Last-Event-ID", told.replace(ID, ""));
                        }
                        Action::Head { status, headers, framing }
                    }
                    other => other,
                });
            Plan { actions: actions.collect() }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let streams = streams(record);
    each_taken(record, "id", |update, tally| {
        // The id of an update that came with one may be the publisher's.
        let Some((view, event)) = seen(&streams, update).filter(|_| update.field("id").is_none())
        else {
            return;
        };
        tally.look();
        let id = &event.last_event_id;
        if event.sets_id && !id.starts_with('#') && !has_scheme(id) {
            let message = format!("the hub gives the update the id {id:?}, which is no IRI");
            tally.fault(|| Fault::at(view, event.span.start, message));
        }
    })
}

fn has_scheme(id: &str) -> bool {
    id.split_once(':').is_some_and(|(scheme, rest)| {
        let fits = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(fits)
            && !rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_iri_begins_with() {
        for id in ["urn:uuid:e1ee88e2", "https://a.example/1", "did:a:b"] {
            assert!(has_scheme(id), "{id}");
        }
        for id in ["7", "e1ee88e2-532a", "1:2", ":x", "urn:"] {
            assert!(!has_scheme(id), "{id}");
        }
    }
}
