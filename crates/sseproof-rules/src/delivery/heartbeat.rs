//! A quiet stream keeps its connection alive.

use std::time::Duration;

use sseproof_record::{Action, Ending};

use super::figures::shown;
use crate::timing::{IDLE_TIMEOUT, QUIET_BEFORE_BREAK};
use crate::{Fault, Mutant, Record, Rule, Verdict, View, reference};

pub(crate) const RULE: Rule = Rule {
    id: "delivery/heartbeat",
    judge,
    mutants: &[Mutant::new(
        "no-heartbeat",
        "writes nothing at all once its events have run out",
        |visit| reference::answer(visit).cut(31, [Action::Hold]),
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let mut faults = Vec::new();
    let mut doubts = Vec::new();
    let mut beats = Vec::new();
    let mut longest_quiet = Duration::ZERO;
    let mut longest_stay = Duration::ZERO;
    for view in record.streams() {
        let Some(head) = &view.head else { continue };
        // A body of a stated length ends, or has another fault.
        if head.headers.has("content-length") {
            continue;
        }
        let stay = view.end.at.saturating_sub(head.at);
        longest_stay = longest_stay.max(stay);
        let bytes =
            view.came().iter().filter(|chunk| !chunk.bytes.is_empty()).map(|chunk| chunk.at);
        let silence = longest_gap(head.at, bytes, view.end.at);
        let cut = after_silence(&view);
        if let Some((quiet, true)) = cut {
            let message = format!("the connection breaks after {} of silence", shown(quiet));
            let so =
                "the client reconnects after each quiet time, and misses what happens meanwhile";
            faults.push(Fault::whole(&view, message).so(so));
            continue;
        }
        if silence.length >= IDLE_TIMEOUT {
            let message = format!(
                "no byte for {}, beginning {} after the response headers",
                shown(silence.length),
                shown(silence.start.saturating_sub(head.at)),
            );
            faults.push(Fault::whole(&view, message));
            continue;
        }
        if let Some((quiet, false)) = cut {
            doubts.push(format!(
                "the server ends exchange {} after {} of silence: a timeout, or on purpose",
                view.number,
                shown(quiet)
            ));
        }
        let quiet = longest_gap(head.at, eventful(&view), view.end.at).length;
        longest_quiet = longest_quiet.max(quiet);
        if quiet >= IDLE_TIMEOUT {
            beats.push(silence.length);
        }
    }
    if !faults.is_empty() {
        return Verdict::Fail(faults);
    }
    if let Some(doubt) = doubts.into_iter().next() {
        return Verdict::Inconclusive(doubt);
    }
    if let Some(longest) = beats.into_iter().max() {
        return Verdict::Pass(format!("never silent for longer than {}", shown(longest)));
    }
    if longest_stay >= IDLE_TIMEOUT {
        let note = format!(
            "the stream was never without events for longer than {}: run against a quiet one",
            shown(longest_quiet)
        );
        return Verdict::Skip(note);
    }
    Verdict::Skip(format!("no stream was open for {}: run with --idle", shown(IDLE_TIMEOUT)))
}

struct Gap {
    start: Duration,
    length: Duration,
}

fn longest_gap(from: Duration, moments: impl Iterator<Item = Duration>, to: Duration) -> Gap {
    let mut last = from;
    let mut longest = Gap { start: from, length: Duration::ZERO };
    for moment in moments.chain([to]) {
        let length = moment.saturating_sub(last);
        if length > longest.length {
            longest = Gap { start: last, length };
        }
        last = last.max(moment);
    }
    longest
}

/// The events that say something; one that is only a sign of life is none of them.
fn eventful(view: &View<'_>) -> impl Iterator<Item = Duration> {
    const SIGNS: [&str; 5] = ["ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"];
    view.events()
        .filter(|(event, _)| {
            let sign = |text: &str| SIGNS.contains(&text.trim().to_ascii_lowercase().as_str());
            !sign(&event.event_type) && !sign(&event.data)
        })
        .map(|(_, at)| at)
}

/// How long it was quiet before the server, or something on the way, ended the stream, and whether
/// it broke; `None` where it was not quiet for long, or we left.
fn after_silence(view: &View<'_>) -> Option<(Duration, bool)> {
    if !view.ended_by_server() {
        return None;
    }
    let head = view.head.as_ref()?.at;
    let last = view.came().iter().map(|chunk| chunk.at).max().unwrap_or(head);
    let quiet = view.end.at.saturating_sub(last);
    (quiet >= QUIET_BEFORE_BREAK).then_some((quiet, view.end.how != Ending::Complete))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL, body};
    use sseproof_record::{Chunk, End, Plan, Request};

    const STAY: Duration = Duration::from_secs(75);

    fn idle(serve: sseproof_record::Answer) -> Run {
        Run::against(serve).visit(Request::subscribe(URL), STAY)
    }

    fn every_15_s(visit: &sseproof_record::Visit<'_>, sign: &str) -> Plan {
        let mut actions = vec![reference::head(visit), Action::Write(reference::event(1))];
        for _ in 0..10 {
            actions.extend([Action::Wait(Duration::from_secs(15)), Action::Write(sign.into())]);
        }
        Plan { actions }
    }

    #[test]
    fn a_minute_without_a_byte_is_a_fault() {
        let faults = idle(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(
            faults[0].message,
            "no byte for 73.5 s, beginning 1.5 s after the response headers"
        );
    }

    #[test]
    fn a_comment_or_a_ping_every_15_s_is_enough() {
        idle(|visit| every_15_s(visit, ":\n")).passes(&RULE);
        idle(|visit| every_15_s(visit, "event: ping\ndata: 1\n\n")).passes(&RULE);
        idle(|visit| every_15_s(visit, "data: HEARTBEAT\n\n")).passes(&RULE);
    }

    #[test]
    fn a_stream_that_is_never_quiet_says_nothing() {
        let verdict = idle(|visit| every_15_s(visit, "data: 1\n\n")).judge(&RULE);
        assert!(matches!(verdict, Verdict::Skip(why) if why.contains("longer than 15 s")));
    }

    #[test]
    fn a_short_stay_says_nothing() {
        let verdict = Run::against(reference::answer).subscribe().judge(&RULE);
        assert!(matches!(verdict, Verdict::Skip(why) if why.contains("--idle")));
    }

    #[test]
    fn a_body_of_a_stated_length_is_not_judged() {
        idle(RULE.mutants[0].serve)
            .edit(|last| {
                last.head.as_mut().expect("response headers").headers.set("Content-Length", "9000")
            })
            .skips(&RULE);
    }

    #[test]
    fn a_silence_counts_from_the_head_on() {
        idle(|visit| Plan { actions: vec![reference::head(visit), Action::Hold] }).faults(&RULE);
    }

    fn ended(after: u64, how: Ending) -> Run {
        body(b"data: 1\n\n").edit(|last| {
            last.end = End { at: last.started + Duration::from_secs(after), how };
        })
    }

    #[test]
    fn a_break_in_silence_is_a_fault_and_an_end_a_doubt() {
        let faults = ended(30, Ending::Truncated).faults(&RULE);
        assert_eq!(faults[0].message, "the connection breaks after 30 s of silence");
        ended(30, Ending::Reset).faults(&RULE);
        ended(30, Ending::Complete).is_inconclusive(&RULE);
        ended(10, Ending::Reset).skips(&RULE);
        ended(10, Ending::Complete).skips(&RULE);
    }

    #[test]
    fn an_empty_chunk_is_no_sign_of_life() {
        idle(RULE.mutants[0].serve)
            .edit(|last| {
                let at = last.started + STAY / 2;
                last.body.push(Chunk { at, bytes: "".into() });
            })
            .faults(&RULE);
    }
}
