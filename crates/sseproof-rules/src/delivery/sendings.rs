//! Published events, their subscribers, and when the events arrived.

use std::time::Duration;

use sseproof_record::{Ending, Lack, Published, RunEventKind};

use crate::lifecycle::leaving::lacking;
use crate::{Record, Verdict, View};

pub(super) struct Sending<'r> {
    pub(super) at: Duration,
    /// When the answer to it was there, in microseconds.
    pub(super) answered_us: Option<u64>,
    pub(super) scenario: &'r str,
    pub(super) what: &'r Published,
}

/// The events that the server accepted, in order, from steps that publish one event.
pub(super) fn sendings<'r>(record: &'r Record<'_>) -> Vec<Sending<'r>> {
    let run_events = record.run_events().iter();
    let published = run_events.filter_map(|happening| match &happening.what {
        RunEventKind::Published { what, answered_us } if what.outcome.said().is_none() => {
            Some(Sending {
                at: happening.at,
                answered_us: *answered_us,
                scenario: &happening.scenario,
                what,
            })
        }
        _ => None,
    });
    published.collect()
}

/// Why nothing was published, as the answer of a rule.
pub(super) fn none(record: &Record<'_>) -> Verdict {
    let failed = record.run_events().iter().find_map(|happening| match &happening.what {
        RunEventKind::Published { what, .. } => what.outcome.said(),
        _ => None,
    });
    match failed {
        Some(said) => Verdict::Inconclusive(format!("nothing could be published: {said}")),
        None => Verdict::Skip(lacking(record, &[Lack::Publish], "nothing was published")),
    }
}

pub(super) fn arrival(view: &View<'_>, sending: &Sending<'_>) -> Option<Duration> {
    view.events().find(|(event, _)| event.data.contains(&sending.what.data)).map(|(_, at)| at)
}

/// The streams that were open when it was published.
pub(super) fn listeners<'r>(
    record: &'r Record<'_>,
    sending: &Sending<'_>,
) -> impl Iterator<Item = View<'r>> {
    record.all().filter(move |view| {
        let head = view.head.as_ref().is_some_and(|head| head.at <= sending.at);
        view.scenario == sending.scenario
            && !view.via
            && view.is_stream()
            && head
            && view.end.at >= sending.at
    })
}

/// Whether the client was connected for that long after the publication.
pub(super) fn stayed(view: &View<'_>, sending: &Sending<'_>, time: Duration) -> bool {
    view.end.at.saturating_sub(sending.at) >= time && view.end.how == Ending::Left
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::reference;
    use crate::testing::{Run, URL};
    use sseproof_record::{Bytes, Chunk, Request};

    /// One subscriber, and what was published, when, and when it arrived, in milliseconds.
    pub(crate) fn published(events: &[(&str, u64, u64)]) -> Run {
        let run = Run::against(reference::answer)
            .visit(Request::subscribe(URL), Duration::from_secs(9))
            .edit(|view| {
                view.started = Duration::ZERO;
                view.end.how = Ending::Left;
                view.end.at = Duration::from_secs(9);
                view.head.as_mut().expect("response headers").at = Duration::ZERO;
                let body = events.iter().map(|(data, _, came)| Chunk {
                    at: Duration::from_millis(*came),
                    bytes: Bytes::from(format!("data: {data}\n\n")),
                });
                view.body = body.collect();
            });
        events.iter().fold(run, |run, (data, at, _)| {
            let what = Published::of(*data);
            run.happened_at(
                Duration::from_millis(*at),
                "",
                RunEventKind::Published { what, answered_us: None },
            )
        })
    }
}
