//! Published events, their subscribers, and when the events arrived.

use std::time::Duration;

use sseproof_codec::Event;
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

/// The event with this in its data, and when it arrived.
pub(crate) fn published<'r>(view: &View<'r>, data: &str) -> Option<(&'r Event<'static>, Duration)> {
    view.events().find(|(event, _)| event.data.contains(data))
}

pub(super) fn arrival(view: &View<'_>, sending: &Sending<'_>) -> Option<Duration> {
    published(view, &sending.what.data).map(|(_, at)| at)
}

/// Whether the scenario restarted the server: then the end of a stream is not a fault.
pub(crate) fn restarts(record: &Record<'_>, scenario: &str) -> bool {
    record.run_events().iter().any(|happening| {
        happening.scenario == scenario && matches!(happening.what, RunEventKind::Restarted { .. })
    })
}

/// Whether the scenario asked the server to end: it publishes nothing for that.
pub(super) fn terminates(record: &Record<'_>, scenario: &str) -> bool {
    record.run_events().iter().any(|happening| {
        happening.scenario == scenario && matches!(happening.what, RunEventKind::Terminated { .. })
    })
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
    view.end.at.saturating_sub(sending.at) >= time && view.end.how == Ending::Disconnected
}
