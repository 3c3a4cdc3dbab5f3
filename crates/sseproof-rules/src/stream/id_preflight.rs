//! Clients of another origin can return ids without a preflight.
//!
//! A page of another origin may send a header by itself only where Fetch takes it for harmless: no
//! more than 128 bytes, and none of those that are known from attacks.
//! The stream's own pages are not concerned, so a stream that admits no other origin is not judged.

use sseproof_http::Plan;

use super::lines::{blocks, ids};
use super::tally::counted;
use super::{quoted, spoil};
use crate::cors::preflight_admits_id;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "stream/id-preflight",
    judge,
    mutants: &[Mutant::new(
        "id-for-preflight",
        "writes an id with a colon into a stream that is open to all origins",
        |visit| {
            let id = b"id: urn:uuid:5c3f\ndata: x\n\n";
            match visit.request.last_event_id() {
                Some(_) => spoil(visit, open),
                None => spoil(visit, |plan| open(plan).insert(1, &id[..])),
            }
        },
    )],
};

/// For the mutant: the plan, which pages of every origin may read.
fn open(plan: Plan) -> Plan {
    plan.with_header("Access-Control-Allow-Origin", "*")
}

/// The longest value of a harmless header that Fetch allows, in bytes.
const MOST: usize = 128;
/// The visible ones among the CORS-unsafe request-header bytes of Fetch. The others, control
/// characters, are `stream/id-header-safe`'s.
const UNSAFE: &[u8] = b"\"():<>?@[\\]{}";
/// How many streams with the same fault are shown.
const SHOWN: usize = 3;

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut looked = 0;
    let mut streams = 0;
    for view in record.streams().filter(admits_others) {
        streams += 1;
        let body = view.body_bytes();
        let all: Vec<_> =
            ids(&blocks(&body)).filter(|line| is_fine(line.value())).copied().collect();
        looked += all.len() as u64;
        let mut costly = all.iter().filter_map(|line| Some((line, flaw(line.value())?)));
        let Some((line, (place, why))) = costly.next() else { continue };
        let more = match costly.count() {
            0 => String::new(),
            more => format!(" (the first of {} in this stream)", more + 1),
        };
        let message = format!("{why} in the id {}{more}", quoted(line.value()));
        faults.push(Fault::at(&view, line.value_start() + place as u64, message));
    }
    faults.truncate(SHOWN);
    let is_admitted = preflight_admits_id(record);
    if is_admitted == Some(true) && !faults.is_empty() {
        return Verdict::Pass("the preflight admits Last-Event-ID".to_owned());
    }
    if is_admitted == Some(false) {
        for fault in &mut faults {
            let consequence = "the browser first sends OPTIONS, and the answer does not admit Last-Event-ID: the client cannot reconnect";
            fault.consequence = Some(consequence.to_owned());
        }
    }
    match (streams, looked) {
        (0, _) => Verdict::Skip("no stream is open to pages of another origin".to_owned()),
        (_, 0) => Verdict::Skip("no stream that is open to other origins carried an id".to_owned()),
        _ => Verdict::from_faults(faults, counted(looked, "id")),
    }
}

/// Whether pages of another origin may read the stream at all.
fn admits_others(view: &View<'_>) -> bool {
    view.head.as_ref().is_some_and(|head| head.headers.has("access-control-allow-origin"))
}

/// Whether no other rule judges the id.
fn is_fine(id: &[u8]) -> bool {
    let printable = |byte: &u8| byte.is_ascii() && (*byte == b'\t' || !byte.is_ascii_control());
    id.iter().all(printable) && id.trim_ascii() == id && id.len() <= super::id_length::MOST
}

/// The reason for a preflight, and its place in the id.
fn flaw(id: &[u8]) -> Option<(usize, String)> {
    if let Some(place) = id.iter().position(|byte| UNSAFE.contains(byte)) {
        return Some((place, format!("the character `{}`", char::from(id[place]))));
    }
    (id.len() > MOST).then(|| (0, format!("{} bytes, which is more than {MOST},", id.len())))
}
