//! A second subscriber gets its stream while the first one has its own.

use sseproof_http::Action;
use sseproof_record::Role;

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
            // A signal is not a request.
            let waits = visit.open > 0 && visit.request.path() != reference::TERMINATE;
            if waits { right.after([Action::Hold]) } else { right }
        },
    )],
};

fn judge(record: &Record<'_>) -> Verdict {
    // lifecycle/same-session judges two clients of one session.
    let own_session = |view: &View<'_>| view.role != Some(Role::SameSession);
    let views: Vec<_> = record.subscriptions().filter(own_session).collect();
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
