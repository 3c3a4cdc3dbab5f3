//! Rules on what a client makes of the bytes of a stream: the corpus through the whole client, and
//! streams that are large or slow.

mod bytes;
mod groups;
mod long_lines;
mod many_events;
mod nothing_more;
mod reserved_types;
mod types;

use std::time::Duration;

use sseproof_corpus::{LineEnds, Stream, corpus};
use sseproof_http::{Bytes, Plan};

use crate::protocol::Event;
use crate::registry::Family;
use crate::{
    Can, Case, CaseVisit, Connect, Fault, Judgement, Moment, Origins, Quiet, View, When, status,
    stream,
};

pub(crate) const FAMILY: Family = Family {
    rules: &[
        &groups::LINE_ENDS,
        &groups::CHUNKS,
        &groups::BOM,
        &groups::UTF8,
        &groups::DATA,
        &groups::DISPATCH,
        &groups::NO_DATA,
        &groups::FIELDS,
        &groups::COMMENTS,
        &groups::IDS,
        &groups::EVENT_TYPES,
        &groups::END,
        &types::RULE,
        &reserved_types::RULE,
        &long_lines::RULE,
        &bytes::RULE,
        &many_events::RULE,
        &nothing_more::RULE,
    ],
    cases: &[
        &LINE_ENDS,
        &CHUNKS,
        &BOM,
        &UTF8,
        &DATA,
        &DISPATCH,
        &NO_DATA,
        &FIELDS,
        &COMMENTS,
        &IDS,
        &EVENT_TYPES,
        &END,
        &types::CASE,
        &reserved_types::CASE,
        &long_lines::CASE,
        &bytes::CASE,
        &many_events::CASE,
        &nothing_more::CASE,
    ],
};

/// How many connections of a case are open at the same time: a browser has six for each origin.
const LANES: usize = 4;
/// How long a client may take for the last events of a stream after its end.
const AFTER: Duration = Duration::from_millis(500);
/// Of the streams with other line ends, each so-many-th is sent: all of them would take seconds.
const EACH: usize = 7;

const fn case(
    id: &'static str,
    about: &'static str,
    connects: fn(&Origins) -> Vec<Connect>,
) -> Case {
    Case::new(id, about, answer)
        .connects(connects)
        .lanes(LANES)
        .until(When::Read, Quiet::Time(AFTER))
}

const LINE_ENDS: Case = case(
    "parse-line-ends",
    "the server sends streams with LF, CR and CRLF, one on each connection",
    |origins| {
        let mut all = of(origins, &["whatwg-sse/line-ends"]);
        let others = corpus()
            .iter()
            .filter(|case| is_heard(case))
            .flat_map(sseproof_corpus::Case::respelled);
        all.extend(others.step_by(EACH).map(|stream| connect(origins, "", &stream)));
        all
    },
);

const CHUNKS: Case = case(
    "parse-chunks",
    "the server sends streams in pieces that end within lines, line ends and characters",
    |origins| {
        let streams = corpus().iter().filter(|case| is_heard(case)).flat_map(|case| {
            case.respelled().filter(|stream| stream.line_ends == LineEnds::Crlf).collect::<Vec<_>>()
        });
        // Invalid bytes are another rule.
        let valid = streams.filter(|stream| std::str::from_utf8(&stream.bytes).is_ok());
        let cut = valid.step_by(EACH).enumerate().filter_map(|(index, stream)| {
            let count = stream.cuts().len();
            (count > 0).then(|| connect(origins, &format!("/cut/{}", index % count), &stream))
        });
        let text = |case: &&sseproof_corpus::Case| {
            let bytes = case.stream();
            !bytes.is_ascii() && std::str::from_utf8(&bytes).is_ok() && !bytes.contains(&b'\r')
        };
        let of_text = corpus().iter().filter(|case| is_heard(case)).filter(text).step_by(2);
        // The fourth way to cut is within characters, if there are any.
        let within = of_text.map(|case| connect(origins, "/within", &case.as_written()));
        cut.chain(within).collect()
    },
);

macro_rules! groups {
    ($($name:ident, $id:literal, $about:literal, $requirements:expr;)*) => {
        $(const $name: Case = case($id, $about, |origins| of(origins, &$requirements));)*
    };
}

groups! {
    BOM, "parse-bom", "the server sends streams with byte order marks",
        ["whatwg-sse/bom-at-start"];
    UTF8, "parse-utf8", "the server sends streams with invalid UTF-8, and with characters of all lengths",
        ["whatwg-sse/utf8-decode"];
    DATA, "parse-data", "the server sends streams with data in one or more lines",
        ["whatwg-sse/field-data", "whatwg-sse/dispatch-trailing-lf", "whatwg-sse/stream-grammar",
         "whatwg-sse/line-order", "whatwg-sse/buffers-start-empty"];
    DISPATCH, "parse-dispatch", "the server sends streams with and without blank lines",
        ["whatwg-sse/blank-line-dispatches", "whatwg-sse/dispatch-clears"];
    NO_DATA, "parse-no-data", "the server sends streams with blocks without data",
        ["whatwg-sse/dispatch-no-data"];
    FIELDS, "parse-fields", "the server sends streams with fields in all spellings",
        ["whatwg-sse/field-split", "whatwg-sse/field-space", "whatwg-sse/field-no-colon",
         "whatwg-sse/field-name-literal", "whatwg-sse/field-unknown", "whatwg-sse/field-retry"];
    COMMENTS, "parse-comments", "the server sends streams with comments",
        ["whatwg-sse/comment-line"];
    IDS, "parse-ids", "the server sends streams with ids",
        ["whatwg-sse/field-id", "whatwg-sse/dispatch-id", "whatwg-sse/field-id-nul"];
    EVENT_TYPES, "parse-event-types", "the server sends streams with event types",
        ["whatwg-sse/dispatch-type", "whatwg-sse/field-event"];
    END, "parse-end", "the server ends streams within a block",
        ["whatwg-sse/end-of-stream"];
}

/// The streams of these requirements, as they are written.
fn of(origins: &Origins, requirements: &[&str]) -> Vec<Connect> {
    let chosen = corpus().iter().filter(|case| requirements.contains(&case.requirement.as_str()));
    chosen
        .filter(|case| is_heard(case))
        .map(|case| connect(origins, "", &case.as_written()))
        .collect()
}

/// Whether its events differ from calls of the client itself; events that do not have their own rule.
fn is_heard(case: &sseproof_corpus::Case) -> bool {
    !case.events.iter().any(|event| matches!(event.event_type.as_deref(), Some("error" | "open")))
}

fn connect(origins: &Origins, how: &str, stream: &Stream<'_>) -> Connect {
    let events = stream.case.events.iter();
    let types = events.filter_map(|event| event.event_type.clone());
    let mut types: Vec<_> = types.filter(|name| name != "message").collect();
    types.sort_unstable();
    types.dedup();
    Connect { types, ..Connect::to(format!("{}{how}/{}", origins.own, stream.id())) }
}

/// The stream of a path, and where it is cut.
fn found(path: &str) -> Option<(Stream<'static>, Vec<usize>)> {
    let path = path.trim_start_matches('/');
    let (how, id) = match path.split_once('/')? {
        ("within", id) => (Some(None), id),
        ("cut", rest) => {
            let (number, id) = rest.split_once('/')?;
            (Some(number.parse::<usize>().ok()), id)
        }
        _ => (None, path),
    };
    let (name, _) = id.split_once('+').unwrap_or((id, ""));
    let case = corpus().iter().find(|case| case.id == name)?;
    let stream =
        [case.as_written()].into_iter().chain(case.respelled()).find(|one| one.id() == id)?;
    let cuts = match how {
        None => Vec::new(),
        Some(Some(number)) => stream.cuts().into_iter().nth(number)?,
        Some(None) => {
            let is_within = |at: &usize| stream.bytes[*at] & 0b1100_0000 == 0b1000_0000;
            (1..stream.bytes.len()).filter(is_within).collect()
        }
    };
    Some((stream, cuts))
}

fn answer(visit: &CaseVisit<'_>) -> Plan {
    match visit.here {
        0 => {}
        1 => return status(204),
        // A client that does not stop would return at once after `retry: 0`.
        _ => return stream().hold(),
    }
    let Some((found, cuts)) = found(visit.request.path()) else { return status(404) };
    let mut answer = stream();
    for (index, chunk) in found.chunks(&cuts).into_iter().enumerate() {
        // Without a pause the pieces would arrive as one.
        answer = if index == 0 { answer } else { answer.wait(4) };
        answer = answer.write(chunk);
    }
    answer.end()
}

/// Whether each connection got the events of its stream.
fn judge(view: &View<'_>) -> Judgement {
    let connections = view.connections();
    let note = sseproof_units::counted(connections.len(), "stream");
    Judgement::all(connections.iter().map(|(connect, one)| read(connect, one)), note)
}

fn read(connect: &Connect, view: &View<'_>) -> Judgement {
    let (_, path) = connect.url.split_once("://").unwrap_or_default();
    let path = path.find('/').map_or("", |start| &path[start..]);
    let Some((stream, _)) = found(path) else {
        return Judgement::Unclear(format!("{path} is not in the corpus of this version"));
    };
    let Some(request) = view.request(1) else {
        return Judgement::Unclear(format!("the client sent no request for {path}"));
    };
    let expected: Vec<_> = stream
        .case
        .events
        .iter()
        .map(|event| Event {
            event_type: event.event_type.clone().unwrap_or_default(),
            data: event.data.clone(),
            last_event_id: event.last_event_id.clone(),
            origin: None,
        })
        .collect();
    match difference(view, &expected) {
        None => Judgement::held(""),
        Some((event, message)) => {
            let bytes = Bytes::from(stream.bytes).escaped();
            let shown: String = bytes.chars().take(160).collect();
            let message = format!("{}: {message}; the stream: \"{shown}\"", stream.case.about);
            Fault::at(event.unwrap_or(request.entry), message).into()
        }
    }
}

/// The first event that is not as expected: the entry of it, if it was delivered, and a message.
/// A member that the adapter does not report is not compared.
fn difference(view: &View<'_>, expected: &[Event]) -> Option<(Option<usize>, String)> {
    let hears = |event: &Event| view.can(Can::Types) || event.event_type == "message";
    let expected: Vec<_> = expected.iter().filter(|event| hears(event)).collect();
    let events: Vec<Moment<&Event>> =
        view.events().into_iter().filter(|event| hears(event.what)).collect();
    for (index, expected) in expected.iter().enumerate() {
        let Some(event) = events.get(index) else {
            let why = view.errors().first().map_or("", |error| error.what.message.as_str());
            let because = if why.is_empty() { String::new() } else { format!(" ({why})") };
            return Some((None, format!("{} is not delivered{because}", shown(expected))));
        };
        let has_id = view.can(Can::LastEventIdOfEvent);
        let is_right = event.what.event_type == expected.event_type
            && event.what.data == expected.data
            && (!has_id
                || event.what.last_event_id.as_deref().unwrap_or_default()
                    == expected.last_event_id.as_deref().unwrap_or_default());
        if !is_right {
            let message = format!("{} is delivered, not {}", shown(event.what), shown(expected));
            return Some((Some(event.entry), message));
        }
    }
    let more = events.get(expected.len())?;
    Some((Some(more.entry), format!("{} is delivered, and was not sent", shown(more.what))))
}

/// An event in words: `the event x "a" with id "1"`.
fn shown(event: &Event) -> String {
    const SHOWN: usize = 60;
    let cut = |text: &str| {
        let short: String = text.chars().take(SHOWN).collect();
        let more = if short.len() < text.len() { "…" } else { "" };
        format!("\"{}{more}\"", Bytes::from(short).escaped())
    };
    let id = event.last_event_id.as_deref().filter(|id| !id.is_empty());
    let id = id.map(|id| format!(" with id {}", cut(id))).unwrap_or_default();
    let name: String = event.event_type.chars().take(SHOWN).collect();
    format!("the event {} {}{id}", Bytes::from(name).escaped(), cut(&event.data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_leads_to_its_stream() {
        let origins = Origins { own: "http://a.test".to_owned(), ..Origins::default() };
        let mut streams = 0;
        for case in FAMILY.cases.iter().filter(|case| case.lanes == LANES) {
            for connect in (case.connects)(&origins) {
                let path = connect.url.trim_start_matches("http://a.test");
                if !path.contains("types") {
                    let (_, cuts) = found(path).unwrap_or_else(|| panic!("{path}"));
                    assert_eq!(cuts.is_empty(), case.id != "parse-chunks", "{path}");
                    streams += 1;
                }
            }
        }
        assert!(streams > 400, "{streams}");
    }

    #[test]
    fn each_requirement_of_the_corpus_is_judged() {
        let origins = Origins::default();
        let all: Vec<_> = FAMILY.cases.iter().flat_map(|case| (case.connects)(&origins)).collect();
        for case in corpus().iter().filter(|case| is_heard(case)) {
            let path = format!("/{}", case.id);
            assert!(all.iter().any(|connect| connect.url == path), "{}", case.id);
        }
    }
}
