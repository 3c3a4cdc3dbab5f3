//! Published payloads, and the items of the stream between the two sentinels around each.

use serde_json::Value;
use sseproof_codec::{Event, Item};
use sseproof_record::{
    FORGED, FORGED_RETRY, Lack, PLAIN, Part, PublishOutcome, Published, Role, RunEventKind,
};

use super::with_line_feeds;
use crate::outcome::Outcome;
use crate::{Fault, Record, TimedItem, Verdict, View};

/// Why the family has nothing to judge, with the line that changes it.
const NO_HOOK: &str = "nothing says how to publish; add `publish: { http: { path: /publish, body: \"${data}\" } }` to the file of --target, or give --publish 'POST /publish'";

/// How many events after the closing sentinel may still be the payload's: a server with several
/// workers, or one that gathers events, may send them late.
const LATE: usize = 6;

/// One payload, and the items between the sentinels around it.
pub(super) struct Trial<'r> {
    pub(super) view: View<'r>,
    pub(super) published: &'r Published,
    seen: &'r [TimedItem],
    /// The items from the closing sentinel on.
    rest: &'r [TimedItem],
    /// How the server wraps data, as either sentinel has it: something of another block may have
    /// got into one of them.
    shapes: [Shape; 2],
    /// The type of the events that carry what is published.
    event_type: &'r str,
    /// Where the closing sentinel begins.
    pub(super) closing: u64,
    /// Whether the server ended the stream instead of sending the closing sentinel.
    pub(super) kills: bool,
    /// Whether the stream is the answer to the publication, which has no other subscriber.
    pub(super) is_answer: bool,
}

pub(super) struct Forged {
    pub(super) what: &'static str,
    pub(super) offset: u64,
}

/// How the data of an event carries published data.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    /// Between these two texts, mostly empty ones.
    Text {
        before: String,
        after: String,
    },
    Json(String),
}

/// The trials of all streams that payloads were published to, or why there are none.
pub(super) fn trials<'r>(record: &'r Record<'_>) -> Result<Vec<Trial<'r>>, Verdict> {
    let mut trials = Vec::new();
    let mut sentinels = Vec::new();
    // Where the rules judge the stream, published texts are ordinary events that
    // it would not have had otherwise.
    for view in record.all().filter(|view| !view.judged) {
        let published = &view.exchange().published;
        sentinels
            .extend(published.iter().filter(|one| one.payload.is_none()).map(|one| (view, one)));
        if !is_answer(&view) {
            trials.extend(of_stream(view, published));
        }
    }
    // A server that ends its streams now and then may have done so here.
    if record.streams().any(|view| view.ended_by_server()) {
        trials.retain(|trial| !trial.kills);
    }
    trials.extend(of_answers(record));
    if !trials.is_empty() {
        return Ok(trials);
    }
    let lacks = |what: &RunEventKind| *what == RunEventKind::Lacking(Lack::Publish);
    let Some((view, first)) = sentinels.first() else {
        let is_unknown = record.run_events().iter().any(|happening| lacks(&happening.what));
        let why = if is_unknown { NO_HOOK } else { "no dangerous payload was published" };
        return Err(Verdict::Skip(why.to_owned()));
    };
    let refused = sentinels.iter().all(|(_, one)| one.outcome != PublishOutcome::Accepted);
    let came = |(view, one): &(View<'_>, &Published)| {
        view.events().any(|(event, _)| event.data.contains(&one.data))
    };
    let why = match first.outcome.said() {
        Some(said) if refused => format!("nothing could be published: {said}"),
        _ if sentinels.iter().any(came) => "no payload could be followed to the end".to_owned(),
        _ if is_answer(view) => format!(
            "a publication was answered by {}, and no event in it has the data",
            Outcome::of(view).describe()
        ),
        _ => "what was published never came to the stream; does another path carry it? (`publish: { stream: /path }`)".to_owned(),
    };
    Err(Verdict::Inconclusive(why))
}

/// Whether the exchange is a publication that is answered by its own stream.
fn is_answer(view: &View<'_>) -> bool {
    view.role == Some(Role::Answer)
}

/// The trials of payloads that the server answered with the stream itself. The answer to a sentinel
/// before them shows how the server wraps data, and what else is in such an answer.
fn of_answers<'r>(record: &'r Record<'_>) -> Vec<Trial<'r>> {
    let mut trials = Vec::new();
    let mut control = None;
    for view in record.all().filter(is_answer) {
        let Some(one) = view.exchange().published.first() else { continue };
        if one.payload.is_none() {
            control = view.seen().iter().enumerate().find_map(|(index, seen)| {
                let Item::Event(event) = &seen.item else { return None };
                let shape = Shape::of(&event.data, &one.data)?;
                Some((index, event, shape, view.end.how.is_cut()))
            });
            continue;
        }
        if matches!(one.outcome, PublishOutcome::Unsendable(_)) {
            continue;
        }
        let Some((before, event, shape, is_cut)) = &control else { continue };
        trials.push(Trial {
            view,
            published: one,
            seen: &view.seen()[(*before).min(view.seen().len())..],
            rest: &[],
            shapes: [shape.clone(), shape.clone()],
            event_type: &event.event_type,
            closing: view.body_len(),
            kills: !is_cut && view.is_stream() && view.end.how.is_cut(),
            is_answer: true,
        });
    }
    trials
}

/// The same, of payloads in this part, which the target file has to offer and the server to carry.
pub(super) fn trials_of<'r>(record: &'r Record<'_>, part: Part) -> Result<Vec<Trial<'r>>, Verdict> {
    let (noun, name) = (part.noun(), part.variable());
    let mut all = trials(record)?;
    all.retain(|trial| trial.published.part() == part);
    let is_control = |trial: &Trial<'_>| trial.published.text() == PLAIN;
    match all.iter().find(|trial| is_control(trial)) {
        _ if part == Part::Data => Ok(all),
        Some(control) if control.is_intact() => {
            all.retain(|trial| !is_control(trial));
            Ok(all)
        }
        Some(control) => Err(Verdict::Inconclusive(match control.published.outcome.said() {
            Some(said) => format!("even a plain {noun} is not taken: {said}"),
            None => format!(
                "even a plain {noun} does not arrive: does `publish` say `${{{name}}}` where the server expects the {noun}?"
            ),
        })),
        None if is_offered(record, part) => {
            Err(Verdict::Inconclusive(format!("no plain {noun} could be followed to the end")))
        }
        None => Err(Verdict::Skip(format!(
            "`publish` does not say where the {noun} goes; add `{name}: \"${{{name}}}\"` to its `json` in the file of --target, or `${{{name}:percent}}` to its `path`"
        ))),
    }
}

/// Whether something was, or was to be, published in this part.
fn is_offered(record: &Record<'_>, part: Part) -> bool {
    let left_out =
        |what: &RunEventKind| matches!(what, RunEventKind::LeftOut { part: of, .. } if *of == part);
    let mut published = record.all().flat_map(|view| &view.exchange().published);
    published.any(|one| one.part() == part)
        || record.run_events().iter().any(|happening| left_out(&happening.what))
}

fn of_stream<'r>(view: View<'r>, published: &'r [Published]) -> Vec<Trial<'r>> {
    let mut from = 0;
    // Where each sentinel stands among the items; `None` where it did not come, and for payloads.
    let places: Vec<Option<(usize, &Event<'_>)>> = published
        .iter()
        .map(|one| {
            one.payload.as_ref().map_or(Some(()), |_| None)?;
            let found = view.seen()[from..].iter().enumerate().find_map(|(index, seen)| {
                let Item::Event(event) = &seen.item else { return None };
                event.data.contains(&one.data).then_some((from + index, event))
            })?;
            from = found.0 + 1;
            Some(found)
        })
        .collect();
    let mut trials = Vec::new();
    let mut opening = None;
    for (index, one) in published.iter().enumerate() {
        if let Some(place) = places[index] {
            opening = Some((place, &one.data));
        }
        if one.payload.is_none() || matches!(one.outcome, PublishOutcome::Unsendable(_)) {
            continue;
        }
        let behind = published.iter().zip(&places).skip(index + 1);
        // Up to the next payload, the first sentinel that came.
        let closing = behind
            .take_while(|(other, _)| other.payload.is_none())
            .find_map(|(other, place)| Some(((*place)?, &other.data)));
        let Some(((start, first), opened)) = opening.take() else { continue };
        let Some(((end, last), closed)) = closing else {
            let is_last = published[index + 1..].iter().all(|other| other.payload.is_none());
            let shape = Shape::of(&first.data, opened);
            if let Some(shape) = shape.filter(|_| is_last && view.ended_by_server()) {
                trials.push(Trial {
                    view,
                    published: one,
                    seen: &view.seen()[start + 1..],
                    rest: &[],
                    shapes: [shape.clone(), shape],
                    event_type: &first.event_type,
                    closing: view.body_len(),
                    kills: true,
                    is_answer: false,
                });
            }
            continue;
        };
        let shapes = (Shape::of(&first.data, opened), Shape::of(&last.data, closed));
        let (Some(before), Some(after)) = shapes else { continue };
        trials.push(Trial {
            view,
            published: one,
            seen: &view.seen()[start + 1..end],
            rest: &view.seen()[end..],
            shapes: [before, after],
            event_type: &last.event_type,
            closing: last.span.start,
            kills: false,
            is_answer: false,
        });
    }
    trials
}

fn events(seen: &[TimedItem]) -> impl Iterator<Item = &Event<'static>> {
    seen.iter().filter_map(|seen| match &seen.item {
        Item::Event(event) => Some(event),
        _ => None,
    })
}

impl<'r> Trial<'r> {
    /// The published part as the beginning of a sentence: `data with an LF`.
    pub(super) fn subject(&self) -> String {
        let (name, noun) = (self.published.payload.as_deref().unwrap_or_default(), self.noun());
        match self.published.seed {
            Some(seed) => format!("{noun} that was generated (--seed {seed})"),
            None => format!("{noun} with {name}"),
        }
    }

    fn noun(&self) -> String {
        match self.published.part() {
            Part::Data => "data".to_owned(),
            part @ (Part::Event | Part::Id) => format!("an {}", part.noun()),
            part @ Part::Comment => format!("a {}", part.noun()),
        }
    }

    /// The fault of something that did not come where the next sentinel did, or at all.
    pub(super) fn absent(&self, message: impl Into<String>) -> Fault {
        match &self.view.head {
            Some(_) => Fault::at(&self.view, self.closing, message),
            None => Fault::whole(&self.view, message),
        }
    }

    /// The events between the sentinels that can be what was published: others may be the server's
    /// own. Data comes in events of the sentinels' type; an event with another name or an id is
    /// known by its data.
    pub(super) fn events(&self) -> impl Iterator<Item = &'r Event<'static>> + '_ {
        events(self.seen).filter(|event| self.is_ours(event))
    }

    fn is_ours(&self, event: &Event<'_>) -> bool {
        match self.published.part() {
            Part::Data => event.event_type == self.event_type,
            _ => event.data.contains(&self.published.data),
        }
    }

    /// The published data in the event, if the event has the shape of the sentinel's.
    pub(super) fn carried(&self, event: &Event<'_>) -> Option<String> {
        self.shapes.iter().rev().find_map(|shape| shape.take(&event.data))
    }

    /// Whether the payload came as it was sent; the format cannot carry which line end it was.
    pub(super) fn is_intact(&self) -> bool {
        if self.kills {
            return false;
        }
        if self.published.part() == Part::Comment {
            return self.has_comment();
        }
        let mut own = self.events().peekable();
        if own.peek().is_some() {
            return own.any(|event| self.is_whole(event));
        }
        let late = events(self.rest).filter(|event| self.is_ours(event));
        late.take(LATE).any(|event| self.is_whole(event))
    }

    fn is_whole(&self, event: &Event<'_>) -> bool {
        let sent = self.published.text();
        match self.published.part() {
            Part::Data => self
                .shapes
                .iter()
                .filter_map(|shape| shape.take(&event.data))
                .any(|came| came == *sent || came == with_line_feeds(sent)),
            // An empty name sets none: the event keeps its default.
            Part::Event if sent.is_empty() => {
                [self.event_type, "message"].contains(&&*event.event_type)
            }
            Part::Event => event.event_type == sent,
            // A server may take an empty id as none, and then has its own.
            Part::Id => sent.is_empty() || (event.sets_id && event.last_event_id == sent),
            Part::Comment => true,
        }
    }

    /// The comments between the sentinels.
    pub(super) fn comments(&self) -> impl Iterator<Item = &'r str> + '_ {
        self.seen.iter().filter_map(|seen| match &seen.item {
            Item::Comment(comment) => Some(comment.text.strip_prefix(' ').unwrap_or(&comment.text)),
            _ => None,
        })
    }

    /// Where the first comment between the sentinels stands.
    pub(super) fn first_comment(&self) -> Option<u64> {
        self.seen.iter().find_map(|seen| match &seen.item {
            Item::Comment(comment) => Some(comment.span.start),
            _ => None,
        })
    }

    /// Whether each line of the comment came as one, in their order; white space around it and
    /// empty lines say nothing.
    fn has_comment(&self) -> bool {
        let sent = with_line_feeds(self.published.text());
        let mut came = self.comments();
        let mut lines = sent.split('\n').filter(|line| !line.trim().is_empty());
        lines.all(|line| came.any(|one| one.trim() == line.trim()))
    }

    /// The field that the payload forged: data that was read as a field. Lines at the end of a block
    /// that is not complete become part of the sentinel after it.
    pub(super) fn forged(&self) -> Option<Forged> {
        self.seen.iter().chain(self.rest.first()).find_map(|seen| {
            let (what, offset) = match &seen.item {
                Item::Event(event) if event.data == FORGED => ("an event", event.span.start),
                Item::Event(event) if event.event_type == FORGED => {
                    ("the event type", event.span.start)
                }
                Item::Event(event) if event.sets_id && event.last_event_id == FORGED => {
                    ("the event id", event.span.start)
                }
                // As a line of its own it stands in no payload: the name of a field is before it.
                Item::Event(event) if event.data.lines().any(|line| line == FORGED) => {
                    ("a data field", event.span.start)
                }
                Item::Retry(retry) if retry.millis == FORGED_RETRY => {
                    ("the reconnection time", retry.span.start)
                }
                _ => return None,
            };
            Some(Forged { what, offset })
        })
    }
}

impl Shape {
    fn of(came: &str, sentinel: &str) -> Option<Self> {
        if let Ok(json) = serde_json::from_str::<Value>(came)
            && let Some(pointer) = pointer_to(&json, sentinel)
        {
            return Some(Self::Json(pointer));
        }
        let (before, after) = came.split_once(sentinel)?;
        Some(Self::Text { before: before.to_owned(), after: after.to_owned() })
    }

    /// The data in what came, where it has this shape.
    fn take(&self, came: &str) -> Option<String> {
        match self {
            Self::Text { before, after } => {
                came.strip_prefix(before.as_str())?.strip_suffix(after.as_str()).map(str::to_owned)
            }
            Self::Json(pointer) => {
                let json: Value = serde_json::from_str(came).ok()?;
                json.pointer(pointer)?.as_str().map(str::to_owned)
            }
        }
    }
}

/// The JSON pointer to the first string that is this text.
fn pointer_to(json: &Value, text: &str) -> Option<String> {
    match json {
        Value::String(found) => (found == text).then(String::new),
        Value::Array(all) => all
            .iter()
            .enumerate()
            .find_map(|(index, one)| pointer_to(one, text).map(|rest| format!("/{index}{rest}"))),
        Value::Object(all) => all.iter().find_map(|(key, one)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointer_to(one, text).map(|rest| format!("/{key}{rest}"))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_found_in_what_the_server_wraps_it_in() {
        for (came, next, taken) in [
            ("S", "a\nb", Some("a\nb")),
            ("<S>", "<a>", Some("a")),
            ("<S>", "a", None),
            (r#"{"at":1,"m":[{"a/b":"S"}]}"#, r#"{"at":2,"m":[{"a/b":"x\r"}]}"#, Some("x\r")),
            ("\"S\"", r#""x""#, Some("x")),
        ] {
            let shape = Shape::of(came, "S").unwrap();
            assert_eq!(shape.take(next).as_deref(), taken, "{came}");
        }
        assert_eq!(Shape::of("x", "S"), None);
    }
}
