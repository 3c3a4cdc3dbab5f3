//! The same request to the server itself and through the proxy.

use std::time::Duration;

use sseproof_http::{Plan, Visit};
use sseproof_record::{Ending, Lack, Role, Sample, Side};

use super::lateness::Clock;
use crate::delivery::figures::sent;
use crate::lifecycle::leaving::lacking;
use crate::outcome::Outcome;
use crate::response::on_stream;
use crate::{Record, Verdict, View, reference};

/// One request, made twice.
#[derive(Clone, Copy)]
pub(super) struct Pair<'r> {
    /// To the server itself.
    pub(super) direct: View<'r>,
    pub(super) through: View<'r>,
    pub(super) sample: Sample,
}

/// The pairs of this sample, in the order of what went through the proxy.
pub(super) fn pairs<'r>(record: &'r Record<'_>, sample: Sample) -> Vec<Pair<'r>> {
    all_pairs(record).into_iter().filter(|pair| pair.sample == sample).collect()
}

pub(super) fn all_pairs<'r>(record: &'r Record<'_>) -> Vec<Pair<'r>> {
    let pair = |through: View<'r>| {
        let Some(Role::Compared(Side::Through, sample)) = through.role else { return None };
        let last = compared(record, &through.scenario, Side::Through, sample)?;
        let direct = compared(record, &through.scenario, Side::Direct, sample)?;
        // Of a chain of redirects, the last one counts.
        (last.number == through.number).then_some(Pair { direct, through, sample })
    };
    record.all().filter_map(pair).collect()
}

/// The last exchange of that side and sample in the scenario.
pub(super) fn compared<'r>(
    record: &'r Record<'_>,
    scenario: &str,
    side: Side,
    sample: Sample,
) -> Option<View<'r>> {
    let role = Some(Role::Compared(side, sample));
    let is_it = |view: &View<'_>| {
        view.role == role && view.via == (side == Side::Through) && view.scenario == scenario
    };
    record.all().filter(is_it).last()
}

impl Pair<'_> {
    /// Whether both sides are streams that can be read.
    pub(super) fn flows(&self) -> bool {
        [self.direct, self.through].iter().all(|view| view.is_stream() && !view.is_encoded())
    }

    /// How much later something happened through the proxy than directly, in microseconds.
    pub(super) fn behind(&self, clock: Clock, through: Duration, direct: Duration) -> i64 {
        let since = |at: Duration, view: &View<'_>| micros(at) - micros(sent(view));
        let by_time = micros(through) - micros(direct);
        let by_age = since(through, &self.through) - since(direct, &self.direct);
        match clock {
            Clock::Time => by_time,
            Clock::Age => by_age,
            Clock::Unknown => by_time.min(by_age),
        }
    }
}

/// The time as a number that may become less than nothing.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// The number as a time; nothing where it is less.
pub(super) fn time(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// Why a rule that needs a stream through the proxy cannot be asked; `None` where it can.
pub(super) fn no_stream(record: &Record<'_>) -> Option<Verdict> {
    let through: Vec<_> = record.all().filter(|view| view.via).collect();
    if through.iter().any(|view| view.is_stream()) {
        return None;
    }
    Some(Verdict::Skip(match through.first() {
        None => lacking(record, &[Lack::Via], "nothing was asked through a proxy"),
        Some(first) => format!("no stream comes through the proxy: see {}", says_why(first)),
    }))
}

/// The rule about a response that is not a stream.
fn says_why(view: &View<'_>) -> &'static str {
    match Outcome::of(view) {
        Outcome::Silent(_) | Outcome::Refused | Outcome::Unreachable => "proxy/head-at-once",
        _ => "proxy/keeps-musts",
    }
}

/// How much longer the stream of the server itself was open than that through the proxy, by the
/// clock and by their ages; nothing where it was not.
pub(super) fn outlasts(longer: &View<'_>, shorter: &View<'_>) -> Duration {
    let by_clock = longer.end.at.saturating_sub(shorter.end.at);
    by_clock.min(longer.lasted().saturating_sub(shorter.lasted()))
}

/// Whether we left it while it was open.
pub(super) fn was_open(view: &View<'_>) -> bool {
    view.end.how == Ending::Disconnected && view.head.is_some()
}

/// For mutants: what a proxy answers that is wrong in its own way, in front of a right server.
pub(super) fn through(visit: &Visit<'_>, wrong: impl FnOnce(Plan) -> Plan) -> Plan {
    match reference::behind_proxy(visit.request) {
        Some(_) => on_stream(visit, wrong),
        None => reference::answer(visit),
    }
}
