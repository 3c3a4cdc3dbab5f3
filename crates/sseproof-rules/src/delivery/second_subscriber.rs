//! A second subscriber gets its stream while the first one has its own.

use sseproof_record::Action;

use super::figures::{sent, shown, time_to_head, waited_in_vain};
use crate::timing::{MISSING, MUCH_LONGER, OVERLAP};
use crate::{Fault, Mutant, Place, Record, Rule, Single, Verdict, View, reference};

/// So many events make a pace.
const PACE: usize = 4;

pub(crate) const RULE: Rule = Rule {
    id: "delivery/second-subscriber",
    judge,
    mutants: &[Mutant::new(
        "one-at-a-time",
        "answers no client while another one has a stream open",
        |visit| {
            let right = reference::answer(visit);
            if visit.open > 0 { right.after([Action::Hold]) } else { right }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    let views: Vec<_> = record.subscriptions().collect();
    let mut singles = Vec::new();
    for second in &views {
        let Some(first) = views.iter().find(|first| has_stream(first, second)) else { continue };
        let single = single(&views, first, second);
        let starved = match single {
            Some(Single::Holds) => starved(first, second).map(Single::Broken),
            _ => None,
        };
        singles.extend(single.into_iter().chain(starved));
    }
    let holds = |served| match served {
        1 => "a second subscriber was served beside the first".to_owned(),
        _ => format!("{served} subscribers were served beside another"),
    };
    Single::sum(singles, holds, "no two subscribers were connected at the same time")
}

/// Whether the first has its stream when the second asks, and not only because the end of the one
/// and the start of the other cross on the way.
fn has_stream(first: &View<'_>, second: &View<'_>) -> bool {
    let head = first.head.as_ref();
    first.number < second.number
        && first.is_stream()
        && head.is_some_and(|head| head.at <= second.started)
        && first.end.at > second.started + OVERLAP
}

fn single(views: &[View<'_>], first: &View<'_>, second: &View<'_>) -> Option<Single> {
    // The slowest response headers of a single subscriber: such a time is not due to another one.
    let usual = views
        .iter()
        .filter(|alone| !views.iter().any(|other| has_stream(other, alone)))
        .filter_map(time_to_head)
        .max()
        .unwrap_or(MISSING);
    let enough = MISSING.max(usual * MUCH_LONGER);
    let (one, two) = (first.number, second.number);
    match (&second.head, waited_in_vain(second)) {
        (Some(head), _) if second.is_stream() => {
            let late = head.at.saturating_sub(sent(second));
            if head.at >= first.end.at && late >= usual * MUCH_LONGER && late >= MISSING / 2 {
                let message = format!(
                    "the response headers come only when exchange {one} has ended, after {}; a single subscriber gets them after {}",
                    shown(late),
                    shown(usual)
                );
                return Some(Single::Broken(Fault::new(second, Place::StatusLine, message)));
            }
            Some(Single::Holds)
        }
        // The other half of a redirect is an exchange of its own.
        (Some(head), _) if (300..400).contains(&head.status) => None,
        (Some(head), _) => Some(Single::Unclear(format!(
            "exchange {two} is answered {} while exchange {one} is open: reconnect/stop-status judges that",
            head.status
        ))),
        (None, Some(_)) => {
            let shut_for = first.end.at.min(second.end.at).saturating_sub(sent(second));
            if shut_for < enough {
                return Some(Single::Unclear(format!(
                    "exchange {two} had no response headers after {}, and a single subscriber waits for {}",
                    shown(shut_for),
                    shown(usual)
                )));
            }
            let message = format!(
                "no response headers within {} while exchange {one} is open; a single subscriber gets them after {}",
                shown(shut_for),
                shown(usual)
            );
            Some(Single::Broken(Fault::whole(second, message)))
        }
        (None, None) => Some(Single::Unclear(format!(
            "exchange {two} has no answer to judge: {:?}",
            second.end.how
        ))),
    }
}

/// The fault where the first one's events stop when the second one's begin.
fn starved(first: &View<'_>, second: &View<'_>) -> Option<Fault> {
    let joined = second.head.as_ref()?.at;
    let until = first.end.at.min(second.end.at);
    if first.ended_by_server() && first.end.at <= until {
        return None;
    }
    let before: Vec<_> = first.events().filter(|(_, at)| *at <= joined).collect();
    let gaps = before.windows(2).map(|pair| pair[1].1.saturating_sub(pair[0].1));
    let pace = gaps.max().unwrap_or_default();
    let quiet = until.saturating_sub(joined);
    let last = before.last()?.1;
    let has_pace = before.len() >= PACE && joined.saturating_sub(last) <= pace * 2;
    // The second one must get new events: its own copy of a short answer takes nothing away.
    let news = second
        .events()
        .filter(|(event, at)| {
            let is_old = |(old, _): &(&sseproof_codec::Event<'_>, _)| old.data == event.data;
            *at <= until && !before.iter().any(is_old)
        })
        .count();
    let silent = !first.body.iter().any(|chunk| chunk.at > joined && chunk.at <= until);
    let starves = has_pace && quiet >= MISSING.max(pace * 10) && news >= PACE && silent;
    starves.then(|| {
        let message = format!(
            "no byte for {} since exchange {} has its stream; before, an event came every {}",
            shown(quiet),
            second.number,
            shown(pace)
        );
        Fault::at(first, first.body_len(), message)
            .so("each new subscriber takes the events of the one before it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Run, URL};
    use sseproof_record::{Ending, Request};
    use std::time::Duration;

    const SHORT: Duration = Duration::from_millis(250);
    const LONG: Duration = Duration::from_millis(1_500);

    fn first(serve: sseproof_record::Answer) -> Run {
        Run::against(serve).visit(Request::subscribe(URL), Duration::from_secs(4))
    }

    fn both(serve: sseproof_record::Answer) -> Run {
        first(serve).join(1, SHORT, LONG)
    }

    #[test]
    fn the_reference_serves_both() {
        both(reference::answer).passes(&RULE);
    }

    #[test]
    fn a_second_one_without_headers_is_a_fault() {
        let faults = both(RULE.mutants[0].serve).faults(&RULE);
        assert_eq!(faults[0].exchange, 2);
        assert_eq!(
            faults[0].message,
            "no response headers within 1.5 s while exchange 1 is open; a single subscriber gets them after 0 ms"
        );
    }

    #[test]
    fn headers_that_come_when_the_first_has_ended_are_a_fault() {
        let late: sseproof_record::Answer = |visit| {
            let wait = Duration::from_millis(1_760);
            let right = reference::answer(visit);
            if visit.open > 0 { right.after([Action::Wait(wait)]) } else { right }
        };
        let faults = first(late).join(1, SHORT, LONG * 2).faults(&RULE);
        assert!(
            faults[0]
                .message
                .starts_with("the response headers come only when exchange 1 has ended")
        );
    }

    #[test]
    fn a_second_one_that_is_slow_but_served_passes() {
        let slow: sseproof_record::Answer =
            |visit| reference::answer(visit).after([Action::Wait(SHORT * 3)]);
        first(slow).join(1, SHORT * 4, LONG).passes(&RULE);
    }

    #[test]
    fn a_short_wait_is_thin() {
        first(RULE.mutants[0].serve).join(1, SHORT, SHORT).is_inconclusive(&RULE);
    }

    #[test]
    fn a_server_that_is_always_slow_is_not_blamed() {
        let slow: sseproof_record::Answer =
            |visit| reference::answer(visit).after([Action::Wait(LONG)]);
        first(slow).join(1, LONG + SHORT, LONG - SHORT).is_inconclusive(&RULE);
    }

    #[test]
    fn a_refusal_is_another_rule() {
        let refuses = |status| {
            both(reference::answer).edit(|last| {
                last.head.as_mut().expect("response headers").status = status;
            })
        };
        refuses(503).is_inconclusive(&RULE);
        refuses(429).is_inconclusive(&RULE);
        refuses(302).skips(&RULE);
    }

    #[test]
    fn no_connection_is_thin() {
        both(reference::answer)
            .edit(|last| {
                last.head = None;
                last.end.how = Ending::Unconnected("refused".to_owned());
            })
            .is_inconclusive(&RULE);
    }

    #[test]
    fn one_after_the_other_is_not_together() {
        Run::against(reference::answer).subscribe().subscribe().skips(&RULE);
        let run = Run::against(reference::answer).subscribe().subscribe();
        run.edit_at(1, |first| first.end.at += OVERLAP / 2).skips(&RULE);
    }

    /// A run in which the first one hears nothing more from the moment at which the second joins.
    fn taken_away() -> Run {
        let mut joined = Duration::ZERO;
        let run = both(reference::answer).edit(|last| joined = last.started);
        run.edit_at(1, |first| {
            first.body.retain(|chunk| chunk.at <= joined);
            first.end.how = Ending::Left;
        })
    }

    #[test]
    fn events_that_are_taken_from_the_first_are_a_fault() {
        let faults = taken_away().faults(&RULE);
        assert_eq!(faults[0].exchange, 1);
        assert!(faults[0].message.starts_with("no byte for 1.5 s since exchange 2"));
    }

    #[test]
    fn a_first_stream_that_ended_or_repeats_was_not_robbed() {
        taken_away()
            .edit_at(1, |first| {
                let at = first.body.last().expect("a chunk").at;
                first.end = sseproof_record::End { at, how: Ending::Complete };
            })
            .skips(&RULE);
        let mut old = Vec::new();
        taken_away()
            .edit_at(1, |first| old = first.body.clone())
            .edit(|second| {
                let at = second.body[0].at;
                second.body = old;
                second.body.iter_mut().for_each(|chunk| chunk.at = at);
            })
            .passes(&RULE);
        taken_away().edit(|second| second.body.truncate(3)).passes(&RULE);
    }
}
