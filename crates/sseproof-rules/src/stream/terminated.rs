//! Every event is ended by a blank line, the last one too.

use sseproof_http::Action;
use sseproof_record::Ending;
use std::collections::BTreeSet;

use super::lines::{Block, Known, Line, LineEnd, blocks, is_whole};
use super::tally::{counted, none_of};
use super::{line_ends, quoted, spoil};
use crate::timing::NEVER_ENDED;
use crate::{Fault, Mutant, Record, Rule, Verdict, View};

pub(crate) const RULE: Rule = Rule {
    id: "stream/terminated",
    judge,
    mutants: &[
        Mutant::new(
            "last-event-cut",
            "ends the stream without the blank line of the last event",
            |visit| {
                spoil(visit, |plan| {
                    let last = b"data: the last one\n";
                    plan.cut(4, [Action::Write(last.into()), Action::Finish])
                })
            },
        ),
        Mutant::new(
            "no-blank-lines",
            "writes each event as one line and never a blank one",
            |visit| {
                spoil(visit, |plan| {
                    plan.map_writes(|index, _| format!("data: {{\"n\":{index}}}\n").into())
                })
            },
        ),
    ],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubt = None;
    let (mut events, mut ended) = (0, 0);
    for view in record.streams() {
        if line_ends::escaped(&view).is_some() {
            continue;
        }
        events += view.events().count() as u64;
        let body = view.body_bytes();
        let blocks = blocks(&body);
        let open = blocks.last().filter(|block| !block.is_closed());
        match view.end.how {
            Ending::Complete => {
                ended += u64::from(view.body_len() > 0);
                let Some(open) = open.filter(|block| loses(block)) else { continue };
                let cut_in_line = open.lines().last().is_some_and(|l| l.end == LineEnd::Missing);
                if cut_in_line && !is_whole(&view) {
                    doubt = Some(view.number);
                } else {
                    faults.push(cut(&view, open, &blocks));
                }
            }
            Ending::Disconnected | Ending::OverLimit(_) => {
                faults.extend(open.and_then(|b| endless(&view, b)))
            }
            // The connection broke: what it broke is judged with the connection.
            _ => {}
        }
    }
    faults.truncate(3);
    match doubt {
        _ if !faults.is_empty() => Verdict::Fail(faults),
        Some(number) => Verdict::Inconclusive(format!(
            "exchange {number} ends within a line, but only the end of the connection delimits its body, so the server may have died"
        )),
        None if events == 0 && ended == 0 => Verdict::Skip(none_of("event")),
        None if ended == 0 => Verdict::Pass(format!(
            "{}; no stream ended, so its end was not judged",
            counted(events, "event")
        )),
        None => Verdict::Pass(format!(
            "{}, and {} ended",
            counted(events, "event"),
            counted(ended, "stream")
        )),
    }
}

/// Whether a client loses something with the block. A `retry` has taken effect already, and what no
/// client knows is lost in any case.
fn loses(block: &Block<'_>) -> bool {
    [Known::Data, Known::Event, Known::Id].into_iter().any(|known| block.has(known))
}

/// The stream ended inside this block.
fn cut(view: &View<'_>, open: &Block<'_>, blocks: &[Block<'_>]) -> Fault {
    let id = open.all(Known::Id).next_back().map(|line| quoted(line.value()));
    let data = open.all(Known::Data).count();
    let never_closed = blocks.len() == 1 && data > 1;
    let message = match (&id, open.all(Known::Event).next_back()) {
        _ if never_closed => {
            format!(
                "the stream ends without a single blank line: its {data} data lines are never delivered"
            )
        }
        (Some(id), _) if data > 0 => {
            format!(
                "the stream ends inside an event: the event with the id {id} is never delivered"
            )
        }
        (Some(id), _) => format!("the stream ends inside a block: its id {id} has no effect"),
        (None, Some(event)) => {
            let event = quoted(event.value());
            format!("the stream ends inside an event: the {event} event is never delivered")
        }
        (None, None) => {
            let value = open.all(Known::Data).next().map_or(&b""[..], Line::value);
            format!("the stream ends inside an event: {} is never delivered", quoted(value))
        }
    };
    let before = view.events().last().map(|(event, _)| &*event.last_event_id).unwrap_or_default();
    let consequence = match id {
        Some(_) if !before.is_empty() => format!(
            "every conforming client drops it, and {} stays its Last-Event-ID",
            quoted(before.as_bytes())
        ),
        Some(_) => "every conforming client drops it, and its id too".to_owned(),
        None => "every conforming client drops it".to_owned(),
    };
    Fault::at(view, view.body_len(), message).so(consequence)
}

/// A stream that we left: no event ever came out of it, although one after the other was written.
fn endless(view: &View<'_>, open: &Block<'_>) -> Option<Fault> {
    const LINES: usize = 3;
    if view.first_event().is_some() {
        return None;
    }
    let fault = |line: &Line<'_>, what: String| {
        Fault::at(view, line.start, what)
            .so("clients wait for the blank line: they deliver nothing, and their buffers grow")
    };
    for known in [Known::Id, Known::Event] {
        let first = open.all(known).next().map(Line::value);
        if let Some(second) = open.all(known).find(|line| Some(line.value()) != first) {
            let name = quoted(second.bytes);
            return Some(fault(
                second,
                format!("no blank line before {name}, which begins another event"),
            ));
        }
    }
    let data: Vec<_> = open.all(Known::Data).filter(|line| line.end != LineEnd::Missing).collect();
    let times: BTreeSet<_> = data.iter().map(|line| view.arrival(line.start)).collect();
    let lasted = times.last()?.saturating_sub(*times.first()?);
    (data.len() >= LINES && times.len() >= LINES && lasted >= NEVER_ENDED).then(|| {
        let what = format!(
            "no blank line before {}: {} data lines in {:.1} s, and not one event",
            quoted(data[1].bytes),
            data.len(),
            lasted.as_secs_f64()
        );
        fault(data[1], what)
    })
}
