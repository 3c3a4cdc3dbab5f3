//! The events that a client had when it reconnected with an id, and those that it then got.

use sseproof_codec::Event;
use sseproof_http::{Plan, Request, Visit};
use sseproof_record::{Ending, Reason};
use std::collections::BTreeSet;

use sseproof_units::counted;

use crate::delivery::figures::shown;
use crate::stream::id_unique::of_no_place;
use crate::timing::{HASTE, REPLAYED};
use crate::{Record, Verdict, View, reference};

/// Why a resumption proves nothing if the client had all events of the stream before.
pub(super) const NOTHING_MISSED: &str = "no event is known after the id that the client sent";

/// So many unknown events show that a server continues without its history.
const ENOUGH: usize = 3;

/// A client that reconnected with the id of an event that it had.
pub(super) struct Resumption<'r> {
    /// The exchange that gave out the id.
    pub(super) first: View<'r>,
    /// The exchange that brought it back.
    pub(super) second: View<'r>,
    pub(super) id: String,
    /// The events of the first exchange, up to and with that id.
    pub(super) had: Vec<&'r Event<'static>>,
    /// The events of the first exchange after it: known to exist, and requested again.
    pub(super) missed: Vec<&'r Event<'static>>,
    /// The events of the second exchange.
    pub(super) came: Vec<&'r Event<'static>>,
    /// The ids that stand for no place in the stream; no event has one of them here.
    pub(super) no_place: BTreeSet<String>,
    /// Whether each new subscriber first gets the newest event, as where every event says all.
    pub(super) is_state: bool,
}

/// How a server took the id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It resumes after it.
    Honoured,
    /// It goes on, and nothing was known to lie between.
    NothingMissed,
    /// It goes on with what is new, and what lay between is lost.
    OnlyNew,
    /// It begins again with what the client had.
    StartsOver,
    /// Inconclusive, for that reason.
    Unclear(String),
}

impl Resumption<'_> {
    /// How the server took the id.
    pub(super) fn taken(&self) -> Taken {
        let number = self.second.number;
        if !self.second.is_stream() || self.second.is_encoded() {
            let answer = match self.second.status() {
                Some(status) => format!("was answered {status}"),
                None => "had no answer".to_owned(),
            };
            return Taken::Unclear(format!("exchange {number}, which brings an id back, {answer}"));
        }
        let Some(first) = self.came.first() else {
            let lasted = shown(self.second.lasted());
            return Taken::Unclear(format!(
                "exchange {number} brought no event with an id within {lasted}"
            ));
        };
        let came = |event: &&Event<'_>| {
            self.came.iter().any(|other| other.last_event_id == event.last_event_id)
        };
        let (last, earlier) = self.had.split_last().map_or((None, &[][..]), |(l, e)| (Some(l), e));
        if last.is_some_and(came) && earlier.iter().any(came) {
            return Taken::StartsOver;
        }
        if self.missed.is_empty() {
            return Taken::NothingMissed;
        }
        let behind = self.missed.first().is_some_and(came);
        if self.is_state && !behind {
            return Taken::Unclear(
                "each new subscriber first gets the newest event: if that is the whole state, nothing is lost"
                    .to_owned(),
            );
        }
        if let Some((old, new)) = self.renamed() {
            return Taken::Unclear(format!(
                "the event {old:?} comes again as {new:?}: an id is a place here, and no event's name"
            ));
        }
        if self.missed.iter().any(came) || last.is_some_and(came) {
            return Taken::Honoured;
        }
        let new = self.came.iter().filter(|event| !self.had(&event.last_event_id)).count();
        let since = self.second.end.at.saturating_sub(self.second.arrival(first.span.end - 1));
        if new >= ENOUGH || (new + 1 >= ENOUGH && since >= REPLAYED) {
            return Taken::OnlyNew;
        }
        Taken::Unclear(format!(
            "exchange {number} brought only {} with an id",
            counted(self.came.len(), "event")
        ))
    }

    /// An event that was missed and comes again under another id, as where the id is a vector of
    /// offsets: `None` where it may be another event that says the same, and where no id at all is
    /// known from before, as those of each connection are not.
    fn renamed(&self) -> Option<(&str, &str)> {
        let before = || self.had.iter().chain(&self.missed);
        let says = |one: &Event<'_>, other: &Event<'_>| {
            one.event_type == other.event_type && one.data == other.data
        };
        let known = |id: &str| before().any(|event| event.last_event_id == id);
        if !self.came.iter().any(|event| known(&event.last_event_id)) {
            return None;
        }
        self.missed.iter().find_map(|old| {
            let only_it = !old.data.is_empty() && before().filter(|e| says(e, old)).count() == 1;
            let again = self.came.iter().any(|e| e.last_event_id == old.last_event_id);
            let new = self.came.iter().find(|e| says(e, old));
            let new = new.filter(|_| only_it && !again)?;
            Some((&*old.last_event_id, &*new.last_event_id))
        })
    }

    /// Whether the client had an event of that id before it reconnected.
    pub(super) fn had(&self, id: &str) -> bool {
        self.had.iter().any(|event| event.last_event_id == id)
    }

    /// The place of the id among what was missed.
    pub(super) fn place(&self, id: &str) -> Option<usize> {
        self.missed.iter().position(|event| event.last_event_id == id)
    }

    /// `Last-Event-ID "7" of exchange 1`, for messages.
    pub(super) fn label(&self) -> String {
        format!("Last-Event-ID {:?} of exchange {}", self.id, self.first.number)
    }
}

/// The resumptions of the record; a verdict where there is nothing to judge.
pub(super) fn resumptions<'r>(record: &'r Record<'_>) -> Result<Vec<Resumption<'r>>, Verdict> {
    if !record.streams().any(|view| !with_ids(&view).is_empty()) {
        return Err(Verdict::Skip("no event carries an id".to_owned()));
    }
    let mut found = Vec::new();
    let mut shared = None;
    let mut hasty = false;
    let mut encoded = None;
    let is_state = is_state(record);
    let no_place = of_no_place(record);
    let mut beat = None;
    for back in record.judged() {
        let Some(before) = record.followed(&back, Reason::Reconnect) else { continue };
        let Some(id) = back.request.last_event_id().map(|id| id.to_text()) else { continue };
        let (first, second) = (landing(record, before), landing(record, back));
        if first.is_encoded() {
            encoded = Some(first.number);
            continue;
        }
        if no_place.contains(&id) {
            beat = Some(id);
            continue;
        }
        let events = with_places(&first, &no_place);
        let ids: BTreeSet<_> = events.iter().map(|event| &event.last_event_id).collect();
        if ids.len() < events.len() {
            shared = Some(first.number);
            continue;
        }
        let Some(place) = events.iter().position(|event| event.last_event_id == id) else {
            continue;
        };
        let missed = events[place + 1..].to_vec();
        let had = events[..=place].to_vec();
        let came = with_places(&second, &no_place);
        let left = second.is_stream() && second.end.how == Ending::Disconnected;
        if came.is_empty() && left && second.lasted() < HASTE {
            hasty = true;
            continue;
        }
        let no_place = no_place.clone();
        found.push(Resumption { first, second, id, had, missed, came, no_place, is_state });
    }
    match (found.is_empty(), shared) {
        (false, _) => Ok(found),
        (true, Some(number)) => {
            let why = format!(
                "exchange {number} gives one id to several events: such an id cannot be resumed after"
            );
            Err(Verdict::Skip(why))
        }
        (true, None) if beat.is_some() => {
            let id = beat.unwrap_or_default();
            let why = format!(
                "the client reconnected with the id {id:?}, which stands for no place in the stream: see stream/id-unique"
            );
            Err(Verdict::Skip(why))
        }
        (true, None) if hasty => {
            let why = "events are rare: no client that reconnected with an id stayed for one";
            Err(Verdict::Skip(why.to_owned()))
        }
        (true, None) => Err(Verdict::Skip(match encoded {
            Some(number) => format!("exchange {number}, which was resumed, cannot be decompressed"),
            None => "no client reconnected with an id of the stream".to_owned(),
        })),
    }
}

/// The resumptions in which the server took the id for what it is; a verdict where there are none.
///
/// A server that ignores the header breaks one requirement, and not five: `resume/honoured` says it.
pub(super) fn honoured<'r>(record: &'r Record<'_>) -> Result<Vec<Resumption<'r>>, Verdict> {
    let mut kept = Vec::new();
    let mut doubt = None;
    for resumption in resumptions(record)? {
        match resumption.taken() {
            Taken::Honoured | Taken::NothingMissed => kept.push(resumption),
            Taken::OnlyNew | Taken::StartsOver => {
                return Err(Verdict::Skip(
                    "Last-Event-ID is ignored: see resume/honoured".to_owned(),
                ));
            }
            Taken::Unclear(why) => doubt = doubt.or(Some(why)),
        }
    }
    match doubt {
        Some(why) if kept.is_empty() => Err(Verdict::Inconclusive(why)),
        _ => Ok(kept),
    }
}

/// The verdict on these resumptions, or why there is none.
pub(super) fn judge_honoured(
    record: &Record<'_>,
    judge: fn(&[Resumption<'_>]) -> Verdict,
) -> Verdict {
    honoured(record).map_or_else(|verdict| verdict, |found| judge(&found))
}

/// The events that set an id of their own.
pub(super) fn with_ids<'r>(view: &View<'r>) -> Vec<&'r Event<'static>> {
    let own = |event: &&Event<'_>| event.sets_id && !event.last_event_id.is_empty();
    view.events().map(|(event, _)| event).filter(own).collect()
}

/// The same without those whose id is not one of them alone.
pub(super) fn with_places<'r>(
    view: &View<'r>,
    no_place: &BTreeSet<String>,
) -> Vec<&'r Event<'static>> {
    let mut events = with_ids(view);
    events.retain(|event| !no_place.contains(&*event.last_event_id));
    events
}

/// Whether a new subscriber first gets the event that another one had last before.
fn is_state(record: &Record<'_>) -> bool {
    let fresh = || record.streams().filter(|view| view.request.last_event_id().is_none());
    let own = |event: &Event<'_>| event.sets_id && !event.last_event_id.is_empty();
    fresh().any(|later| {
        let Some((first, _)) = later.events().find(|(event, _)| own(event)) else { return false };
        fresh().filter(|view| view.number != later.number && view.overlaps(&later)).any(|other| {
            let earlier = other.events().filter(|(event, at)| own(event) && *at < later.started);
            let events: Vec<_> = earlier.collect();
            // With one event it would be the whole history as well.
            events.len() > 1
                && events.last().is_some_and(|(e, _)| e.last_event_id == first.last_event_id)
        })
    })
}

/// Where the exchange leads: itself, or what its redirects end in.
fn landing<'r>(record: &'r Record<'_>, view: View<'r>) -> View<'r> {
    let mut at = view;
    for next in record.all().filter(|next| next.number > view.number) {
        let from = record.followed(&next, Reason::Redirect);
        if from.is_some_and(|from| from.number == at.number) {
            at = next;
        }
    }
    at
}

/// For mutants: the number that the client brings back.
pub(super) fn brought(visit: &Visit<'_>) -> Option<u64> {
    visit.request.last_event_id()?.to_text().parse().ok()
}

/// For mutants: the right answer to the same request without a `Last-Event-ID`.
pub(super) fn answer_without_id(visit: &Visit<'_>) -> Plan {
    let mut request: Request = visit.request.clone();
    request.headers.remove("last-event-id");
    reference::answer(&Visit { request: &request, ..*visit })
}
