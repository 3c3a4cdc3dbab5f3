//! Every event is ended by a blank line, the last one too.

use sseproof_record::{Action, Ending};
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
            Ending::Left | Ending::OverLimit(_) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;
    use crate::testing::{Run, body};
    use sseproof_record::{Bytes, Chunk};
    use std::time::Duration;

    fn ending(bytes: &[u8], how: Ending) -> Run {
        body(bytes).edit(|exchange| exchange.end.how = how)
    }

    fn close_delimited(bytes: &[u8]) -> Run {
        body(bytes).edit(|exchange| {
            exchange.head.as_mut().expect("response headers").headers.remove("transfer-encoding");
        })
    }

    /// A stream whose pieces come half a second after one another, and which we then leave.
    fn paced(pieces: &[&str]) -> Run {
        body(b"").edit(|exchange| {
            let mut at = exchange.end.at;
            exchange.body = pieces
                .iter()
                .map(|piece| {
                    at += Duration::from_millis(500);
                    Chunk { at, bytes: Bytes::from(*piece) }
                })
                .collect();
            exchange.end.at = at;
            exchange.end.how = Ending::Left;
        })
    }

    #[test]
    fn an_event_that_the_end_cuts_is_named_with_its_id() {
        let faults = body(b"id: 41\ndata: a\n\nid: 42\ndata: b\n").faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(31));
        assert_eq!(
            faults[0].message,
            "the stream ends inside an event: the event with the id `42` is never delivered"
        );
        assert_eq!(
            faults[0].consequence.as_deref(),
            Some("every conforming client drops it, and `41` stays its Last-Event-ID")
        );
    }

    #[test]
    fn without_an_id_its_type_or_its_payload_names_it() {
        let message = |bytes: &[u8]| body(bytes).faults(&RULE)[0].message.clone();
        assert!(message(b"data: a\n\nevent: end\ndata: b").contains("the `end` event"));
        assert!(message(b"data: a\n\ndata: [DONE]").contains("`[DONE]` is never delivered"));
        assert!(message(b"data: a\n\nid: 7\n").contains("its id `7` has no effect"));
        assert!(message(b"data: a\ndata: b\n").contains("without a single blank line: its 2 data"));
    }

    #[test]
    fn a_blank_line_of_any_kind_ends_it() {
        for bytes in [&b"data: a\n\n"[..], b"data: a\r\r", b"data: a\r\n\r\n", b"data: a\n\r"] {
            body(bytes).passes(&RULE);
        }
    }

    #[test]
    fn a_tail_in_which_nothing_is_lost_is_fine() {
        for bytes in [
            &b"data: a\n\n: bye\n"[..],
            b"data: a\n\n: bye",
            b"data: a\n\nretry: 5\n",
            b"data: a\n\n{\"error\":1}",
        ] {
            body(bytes).passes(&RULE);
        }
    }

    #[test]
    fn a_broken_connection_is_judged_elsewhere() {
        ending(b"data: a\n\ndata: b", Ending::Reset).passes(&RULE);
        ending(b"data: a\n\ndata: b", Ending::Truncated).passes(&RULE);
        ending(b"data: a\n\ndata: b", Ending::Left).passes(&RULE);
    }

    #[test]
    fn the_end_of_a_connection_alone_proves_nothing_in_mid_line() {
        close_delimited(b"data: a\n\ndata: b").is_inconclusive(&RULE);
        close_delimited(b"data: a\n\ndata: b\n").faults(&RULE);
        close_delimited(b"data: a\n\n").passes(&RULE);
    }

    #[test]
    fn an_endless_event_is_named_where_its_blank_line_is_missing() {
        let faults = paced(&["data: 1\n", "data: 2\n", "data: 3\n"]).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(8));
        assert_eq!(
            faults[0].message,
            "no blank line before `data: 2`: 3 data lines in 1.0 s, and not one event"
        );
        let faults = paced(&["id: 1\ndata: a\nid: 2\ndata: b\n"]).faults(&RULE);
        assert_eq!(faults[0].place, Place::Body(14));
    }

    #[test]
    fn a_long_event_in_the_making_is_fine() {
        paced(&["data: 1\n", "data: 2\n"]).skips(&RULE);
        paced(&["data: 1\ndata: 2\ndata: 3\n", "data: 4\n"]).skips(&RULE);
        paced(&["data: 0\n\n", "data: 1\n", "data: 2\n", "data: 3\n"]).passes(&RULE);
    }

    #[test]
    fn escaped_line_ends_are_judged_elsewhere() {
        body(br"data: a\n\ndata: b\n\n").skips(&RULE);
    }

    #[test]
    fn no_bytes_are_no_evidence() {
        body(b"").skips(&RULE);
    }
}
