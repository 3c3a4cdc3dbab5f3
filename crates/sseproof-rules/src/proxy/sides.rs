//! The same request to the server itself and through the proxy.

use std::time::Duration;

use sseproof_http::{Plan, Visit};
use sseproof_record::{Ending, Exchange, Lack, Role, Sample, Side, Target, Transcript};

use super::lateness::Clock;
use crate::delivery::figures::sent;
use crate::delivery::sendings::restarts;
use crate::lifecycle::leaving::lacking;
use crate::outcome::Outcome;
use crate::registry::rules_for;
use crate::response::on_stream;
use crate::{Level, Record, Verdict, View, profile, reference, response, stream, transport};

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

/// The exchanges as a record of their own, of ordinary requests.
pub(super) fn alone<'r>(record: &Record<'_>, views: impl Iterator<Item = View<'r>>) -> Transcript {
    let ordinary =
        |view: View<'_>| Exchange { judged: true, via: false, ..view.exchange().clone() };
    let mut exchanges: Vec<_> = views.map(ordinary).collect();
    exchanges.sort_by_key(|exchange| exchange.number);
    exchanges.dedup_by_key(|exchange| exchange.number);
    let url = exchanges.first().map(|one| one.request.url.clone()).unwrap_or_default();
    let target = Target { url, ..record.target().clone() };
    Transcript { target, exchanges, ..Transcript::default() }
}

/// The verdict of a rule that needs a stream through the proxy.
pub(super) fn on_streams(record: &Record<'_>, judge: fn(&Record<'_>) -> Verdict) -> Verdict {
    no_stream(record).unwrap_or_else(|| unless_invalid(record, judge(record)))
}

/// The verdict without the faults where the server's own response to the same request is not valid:
/// a proxy may refuse it, cut it or read it in another way, and the server is the one to fix.
pub(super) fn unless_invalid(record: &Record<'_>, verdict: Verdict) -> Verdict {
    let Verdict::Fail(mut faults) = verdict else { return verdict };
    let mut pairs = all_pairs(record);
    // A restart cuts the server's own streams.
    pairs.retain(|pair| !restarts(record, &pair.through.scenario));
    let mut doubt = None;
    faults.retain(|fault| {
        let is_it = |pair: &&Pair<'_>| pair.through.number == fault.exchange;
        // A fault of no pair is one of all.
        let any = !pairs.iter().any(|pair| is_it(&pair));
        let direct = pairs.iter().filter(|pair| any || is_it(pair)).map(|pair| pair.direct);
        let invalid = invalid(record, &alone(record, direct));
        if let Some(why) = &invalid {
            doubt.get_or_insert_with(|| format!("{}; {why}", fault.message));
        }
        invalid.is_none()
    });
    match doubt {
        Some(why) if faults.is_empty() => Verdict::Inconclusive(why),
        _ => Verdict::Fail(faults),
    }
}

/// The requirement that a response of the server itself does not meet, if each client needs it.
fn invalid(record: &Record<'_>, direct: &Transcript) -> Option<String> {
    let direct = Record::new(direct);
    let families = [response::FAMILY.rules, stream::FAMILY.rules, transport::FAMILY.rules];
    let musts = rules_for(record.target().profile.as_deref().and_then(profile))
        .filter(|rule| families.iter().any(|rules| rule.is_in(rules)))
        .filter(|rule| rule.requirement().level == Level::Must);
    musts.into_iter().find_map(|rule| match (rule.judge)(&direct) {
        Verdict::Fail(faults) => Some(format!(
            "but the server's own response is not valid, which may be the cause: see {} ({})",
            rule.id,
            faults.first().map_or("", |fault| fault.message.as_str())
        )),
        _ => None,
    })
}

/// Why a rule that needs a stream through the proxy cannot be asked; `None` where it can.
fn no_stream(record: &Record<'_>) -> Option<Verdict> {
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
