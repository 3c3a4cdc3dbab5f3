//! Replays, beside the events of other sessions.
//!
//! A message belongs to another session if that session received the same, and if it answers no call
//! of its own session that is still without a response. The ids of events show more only if the two
//! sessions never had the same id: an id need be unique only within a session.

use std::collections::BTreeSet;

use serde_json::Value;

use super::apart::{FIRST, SECOND};
use super::reference::Call;
use super::traffic::{
    NO_SESSION, asked, has_sessions, is_in_session, is_request, is_response, replies, session,
    unspoken,
};
use super::{answer, mistaken};
use crate::profile::look;
use crate::profile::written::{Changed, Written};
use crate::stream::tally::Tally;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(super) const RULE: Rule = Rule {
    id: "mcp/resume-apart",
    judge,
    mutants: &[
        Mutant::new(
            "mcp-replays-by-request-id",
            "finds the events to replay by the request id alone, and so those of other sessions, too",
            |visit| match visit.request.last_event_id() {
                Some(_) => answer(visit).replaced(FIRST, |event| {
                    let data = event.data.replace(FIRST, SECOND);
                    vec![event, Written::data(data)]
                }),
                None => answer(visit),
            },
        ),
        Mutant::new(
            "mcp-replays-to-any-session",
            "lets every session resume every stream",
            |visit| {
                mistaken(visit, |request| {
                    if let Some((call, _)) = Call::named(request) {
                        request.headers.set("Mcp-Session-Id", call.session());
                    }
                })
            },
        ),
    ],
};

/// A response, or a notification of progress, and the session that received it.
struct Message {
    session: Option<String>,
    exchange: usize,
    offset: u64,
    /// The id of its event; empty without one.
    id: String,
    json: Value,
}

/// The requests of all sessions, with the messages and the event ids that came for them.
struct Sessions<'r> {
    requests: Vec<View<'r>>,
    messages: Vec<Message>,
}

fn judge(record: &Record<'_>) -> Verdict {
    if let Some(why) = unspoken(record) {
        return Verdict::Skip(why);
    }
    if !has_sessions(record) {
        return Verdict::Skip(NO_SESSION.to_owned());
    }
    let of_request = |view: &View<'_>| is_request(view) && is_in_session(record, view);
    let requests: Vec<_> = record.all().filter(of_request).collect();
    let messages = requests.iter().flat_map(received).collect();
    let sessions = Sessions { requests, messages };
    let resumes = |view: &View<'_>| {
        view.request.method == "GET"
            && view.request.last_event_id().is_some()
            && is_in_session(record, view)
            && sessions.others_had_ids(view)
    };
    let views = look::answered(record, resumes);
    let none = "no stream was resumed after another session had events with ids";
    look::each(&views, "GET", none, |view, tally| sessions.look(view, tally))
}

/// The responses and progress that came.
fn received(view: &View<'_>) -> Vec<Message> {
    let id = |offset| {
        let event = view.events().map(|(event, _)| event).find(|event| event.span.start == offset);
        event.filter(|event| event.sets_id).map(|event| event.last_event_id.to_string())
    };
    let of_call = |json: &Value| is_response(json) || !token(json).is_null();
    let found = replies(view).into_iter().filter(|(_, json)| of_call(json));
    let found = found.map(|(offset, json)| Message {
        session: session(view),
        exchange: view.number,
        offset,
        id: id(offset).unwrap_or_default(),
        json,
    });
    found.collect()
}

/// The progress token of a notification; null in other messages.
fn token(json: &Value) -> &Value {
    &json["params"]["progressToken"]
}

impl Sessions<'_> {
    fn ids(&self, session_id: &Option<String>) -> BTreeSet<String> {
        let own = self.requests.iter().filter(|view| session(view) == *session_id);
        let events = own.flat_map(|view| view.events()).filter(|(event, _)| event.sets_id);
        events.map(|(event, _)| event.last_event_id.to_string()).collect()
    }

    fn others_had_ids(&self, view: &View<'_>) -> bool {
        self.requests.iter().any(|other| {
            other.number < view.number
                && session(other) != session(view)
                && other.events().any(|(event, _)| event.sets_id)
        })
    }

    fn look(&self, view: &View<'_>, tally: &mut Tally) {
        tally.look();
        let last = view.request.last_event_id().map(|id| id.to_text()).unwrap_or_default();
        let is_own = self.ids(&session(view)).contains(&*last);
        for message in received(view) {
            let Some(other) = self.owner(&message, view.number) else { continue };
            let what = if is_response(&message.json) { "response" } else { "progress" };
            let which = if is_own { "its own stream" } else { "a stream of that session" };
            let number = other.exchange;
            let text = format!(
                "the {what} of another session's request (exchange {number}) arrives when the client resumes {which}"
            );
            tally.fault(|| Fault::at(view, message.offset, text));
        }
    }

    /// The message of another session that was sent to this one.
    fn owner(&self, message: &Message, number: usize) -> Option<&Message> {
        if self.is_awaited(message, number) {
            return None;
        }
        let is_same = |had: &&Message| had.json == message.json;
        let (own, others): (Vec<_>, Vec<_>) =
            self.messages.iter().filter(is_same).partition(|had| had.session == message.session);
        let has_its_id = |other: &Message| {
            !message.id.is_empty()
                && other.id == message.id
                && self.ids(&other.session).is_disjoint(&self.ids(&message.session))
        };
        others.into_iter().find(|other| own.is_empty() || has_its_id(other))
    }

    /// Whether it belongs to an earlier request of its session that has had no response.
    fn is_awaited(&self, message: &Message, number: usize) -> bool {
        let (id, token) = (&message.json["id"], token(&message.json));
        self.requests.iter().any(|view| {
            let asked = asked(view);
            let is_its = match is_response(&message.json) {
                true => asked["id"] == *id,
                false => asked["params"]["_meta"]["progressToken"] == *token,
            };
            let is_answered = |had: &Message| {
                had.exchange == view.number
                    && is_response(&had.json)
                    && had.json["id"] == asked["id"]
            };
            is_its
                && view.number < number
                && session(view) == message.session
                && !self.messages.iter().any(is_answered)
        })
    }
}
