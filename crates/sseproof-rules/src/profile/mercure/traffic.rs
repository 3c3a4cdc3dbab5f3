//! Published updates, and the streams that carry them.

use sseproof_codec::Event;
use sseproof_http::Request;

use crate::profile::look;
use crate::stream::tally::Tally;
use crate::{Record, Verdict, View};

/// The token that the probes send and that has no valid signature.
pub(super) const NO_TOKEN: &str = "Bearer sseproof.invalid.token";
/// The id that the probes send and no event has.
pub(super) const NO_ID: &str = "urn:sseproof:never";
/// The response fields with the id after which a stream resumes: the second is that of earlier
/// revisions.
pub(super) const LAST_ID_HEADERS: [&str; 2] = ["mercure-last-event-id", "last-event-id"];
/// The query parameters with the id to resume after: the second is that of earlier revisions.
pub(super) const ASKED: [&str; 2] = ["last_event_id", "lastEventID"];

/// The value of that name in a form, or in the query of a URL, decoded.
pub(super) fn field(form: &str, name: &str) -> Option<String> {
    let mut pairs = form.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
}

pub(super) fn query(request: &Request) -> &str {
    request.target().split_once('?').map_or("", |(_, query)| query)
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        match (first, after.get(..2).and_then(hex)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An update that was sent to the hub.
pub(super) struct Update<'r> {
    pub(super) view: View<'r>,
    form: String,
}

impl<'r> Update<'r> {
    fn of(view: View<'r>) -> Option<Self> {
        let form = view.request.body.to_text();
        let is_update = view.request.method == "POST" && field(&form, "topic").is_some();
        (is_update && view.head.is_some()).then_some(Self { view, form })
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        field(&self.form, name)
    }

    /// Whether the hub accepted it.
    pub(super) fn is_taken(&self) -> bool {
        self.view.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether it came with the publisher's token.
    fn is_signed(&self) -> bool {
        let token = self.view.request.headers.first("authorization");
        token.is_some_and(|token| token != NO_TOKEN)
    }

    fn is_plain(&self) -> bool {
        self.is_signed()
            && !self.field("data").is_some_and(|data| data.contains("sseproof-refused"))
    }

    /// Its id in the response of the hub.
    pub(super) fn id(&self) -> String {
        String::from_utf8_lossy(&self.view.body_bytes()).trim().to_owned()
    }

    /// Its data as subscribers receive them: line ends arrive as LF.
    pub(super) fn text(&self) -> String {
        self.field("data").unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n")
    }

    /// Whether the event carries it. The probes give each update a first line of its own.
    pub(super) fn is_in(&self, data: &str) -> bool {
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        first(data) == first(&self.text())
    }
}

pub(super) fn updates<'r>(record: &'r Record<'_>) -> impl Iterator<Item = Update<'r>> {
    record.all().filter_map(Update::of)
}

/// The valid updates that the hub accepted.
pub(super) fn taken<'r>(record: &'r Record<'_>) -> Vec<Update<'r>> {
    updates(record).filter(|update| update.is_plain() && update.is_taken()).collect()
}

/// The invalid updates with a token that the hub accepts.
pub(super) fn faulty<'r>(record: &'r Record<'_>) -> Vec<Update<'r>> {
    updates(record).filter(|update| update.is_signed() && !update.is_plain()).collect()
}

/// The reason to skip if the hub accepts no update of sseproof.
pub(super) fn unpublished(record: &Record<'_>) -> Option<String> {
    let mut plain = updates(record).filter(Update::is_plain).peekable();
    let status = plain.peek()?.view.status().unwrap_or_default();
    let none = !plain.any(|update| update.is_taken());
    none.then(|| {
        format!(
            "publishing is answered with {status}: pass the token of a publisher with --var publisher=… (and --var topic=…, if it may not publish every topic)"
        )
    })
}

pub(super) fn streams<'r>(record: &'r Record<'_>) -> Vec<View<'r>> {
    let wanted =
        |view: &View<'_>| view.is_stream() && !view.is_encoded() && view.request.method == "GET";
    record.all().filter(wanted).collect()
}

/// The first event that carries the update, and the stream that it came on.
pub(super) fn seen<'v, 'r>(
    streams: &'v [View<'r>],
    update: &Update<'_>,
) -> Option<(&'v View<'r>, &'r Event<'static>)> {
    let all = streams.iter().flat_map(|view| view.events().map(move |(event, _)| (view, event)));
    all.into_iter().find(|(_, event)| update.is_in(&event.data))
}

/// Whether the subscriber requested exactly this topic.
pub(super) fn is_on(view: &View<'_>, topic: &str) -> bool {
    let query = query(&view.request);
    ["match", "match_exact", "topic"]
        .iter()
        .any(|name| field(query, name).as_deref() == Some(topic))
}

/// Whether the subscriber sent no token.
pub(super) fn is_anonymous(view: &View<'_>) -> bool {
    !view.request.has_credentials()
}

/// The ids after which the subscriber resumes: that of the header, and that of the query.
pub(super) fn wanted_ids(request: &Request) -> (Option<String>, Option<String>) {
    let query = query(request);
    let asked = ASKED.iter().find_map(|name| field(query, name));
    (request.last_event_id().map(|id| id.to_text()), asked)
}

/// Judges these exchanges if the hub accepts updates.
pub(super) fn each<'r>(
    record: &'r Record<'_>,
    noun: &str,
    none: &str,
    views: &[View<'r>],
    look: impl Fn(&View<'r>, &mut Tally),
) -> Verdict {
    match unpublished(record) {
        Some(why) if views.is_empty() => Verdict::Skip(why),
        _ => look::each(views, noun, none, look),
    }
}

/// Judges each update that the hub accepted.
pub(super) fn each_taken<'r>(
    record: &'r Record<'_>,
    noun: &str,
    look: impl Fn(&Update<'r>, &mut Tally),
) -> Verdict {
    let taken = taken(record);
    let views: Vec<_> = taken.iter().map(|update| update.view).collect();
    each(record, noun, "nothing was published", &views, |view, tally| {
        let update = taken.iter().find(|update| update.view.number == view.number);
        if let Some(update) = update {
            look(update, tally);
        }
    })
}
