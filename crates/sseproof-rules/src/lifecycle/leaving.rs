//! Clients that disconnected, and the gauges of the server before, during and after.

use std::time::Duration;

use sseproof_http::{Departure, Plan, Visit};
use sseproof_record::{Ending, Gauge, Lack, Reading, Role, RunEvent, RunEventKind};
use sseproof_units::counted;

use crate::delivery::figures::shown;
use crate::outcome::Outcome;
use crate::timing::{PRODUCER_GONE, QUIET};
use crate::{Fault, Record, Verdict, View, reference};

/// How long the producers of mutants live on: longer than any probe waits.
const LONG: Duration = Duration::from_secs(120);

/// A client that disconnected, with the readings of one gauge.
pub(crate) struct Leaving<'r> {
    pub(crate) view: View<'r>,
    gauge: Gauge,
    before: u64,
    during: Option<u64>,
    after: u64,
    /// From the moment of leaving to the last reading.
    waited: Duration,
}

/// The producer that the server ran for a client, after that has disconnected.
enum Producer<'r> {
    Gone(Duration),
    Stays(&'r Leaving<'r>),
    Unseen,
}

/// Whether the stream was quiet when the client disconnected.
pub(crate) fn was_quiet(view: &View<'_>) -> bool {
    let last = view.body.last().map(|chunk| chunk.at).or(view.head.as_ref().map(|head| head.at));
    last.is_some_and(|last| view.end.at.saturating_sub(last) >= QUIET)
}

/// The rule's answer over those clients that are meant.
pub(crate) fn judge(
    record: &Record<'_>,
    lacks: &[Lack],
    what: &str,
    meant: impl Fn(&View<'_>) -> bool,
) -> Verdict {
    let leavings: Vec<_> =
        leavings(record).into_iter().filter(|leaving| meant(&leaving.view)).collect();
    decide(record, leavings, lacks, what)
}

/// The verdict on each client that disconnected.
fn decide(record: &Record<'_>, leavings: Vec<Leaving<'_>>, lacks: &[Lack], what: &str) -> Verdict {
    let mut numbers: Vec<usize> = leavings.iter().map(|leaving| leaving.view.number).collect();
    numbers.dedup();
    if numbers.is_empty() {
        return nothing_read(record, Gauge::Active, lacks, what);
    }
    let mut faults = Vec::new();
    let mut slowest = None;
    let mut thin = None;
    for number in numbers {
        let of: Vec<_> = leavings.iter().filter(|leaving| leaving.view.number == number).collect();
        match producer(&of) {
            Producer::Gone(time) => slowest = slowest.max(Some(time)),
            Producer::Stays(leaving) if leaving.waited < PRODUCER_GONE => {
                thin = Some(format!(
                    "{} more than before, but the wait was only {}",
                    of_gauge(leaving.gauge, leaving.after.saturating_sub(leaving.before)),
                    shown(leaving.waited)
                ));
            }
            Producer::Stays(leaving) => faults.push(leaving.fault()),
            Producer::Unseen => {
                let gauge = of.first().map_or(Gauge::Active, |leaving| leaving.gauge);
                thin = Some(format!("the number of {gauge} does not change when a client comes"));
            }
        }
    }
    match (faults.is_empty(), thin, slowest) {
        (false, ..) => Verdict::Fail(faults),
        (true, _, Some(time)) => {
            let gone = format!(
                "the server released everything {} after the client disconnected",
                shown(time)
            );
            match unread(record, Gauge::Active) {
                Some(why) => Verdict::Inconclusive(format!("{why}; by its connections {gone}")),
                None => Verdict::Pass(gone),
            }
        }
        (true, Some(thin), None) => Verdict::Inconclusive(thin),
        (true, None, None) => Verdict::Inconclusive("no gauge could be read".to_owned()),
    }
}

/// The rule's answer over those clients of the proxy that are meant, where the server heeds the
/// departure of its own: `see` is the rule that says so.
///
/// Only what the server says of itself counts: a proxy may keep connections to it, in any case.
pub(crate) fn judge_through(
    record: &Record<'_>,
    what: &str,
    see: &str,
    meant: impl Fn(&View<'_>) -> bool,
) -> Verdict {
    let directly = judge(record, &[], "", |view| !view.via && meant(view));
    if matches!(directly, Verdict::Fail(_)) || never_stops(record) {
        return Verdict::Skip(format!("nothing ends at the server itself either: see {see}"));
    }
    let leavings = leavings(record).into_iter();
    let leavings = leavings.filter(|leaving| leaving.view.via && meant(&leaving.view));
    let (own, seen): (Vec<_>, Vec<_>) =
        leavings.partition(|leaving| leaving.gauge == Gauge::Active);
    if let (true, Some(why)) = (own.is_empty(), unread(record, Gauge::Active)) {
        return Verdict::Inconclusive(why);
    }
    if own.is_empty() && !seen.is_empty() {
        return Verdict::Skip(format!(
            "only the connections of the server are known, and a proxy may keep some for later; add `{}` to the file of --target",
            Lack::Active.line()
        ));
    }
    match (decide(record, own, &[Lack::Via, Lack::Active], what), directly) {
        (Verdict::Fail(mut faults), Verdict::Pass(directly)) => {
            for fault in &mut faults {
                fault.message = format!("{}; directly {directly}", fault.message);
            }
            Verdict::Fail(faults)
        }
        (verdict, _) => verdict,
    }
}

/// The error of the gauge in the target file, if it never gave a number: then nothing that
/// was read of the process stands for what it was to count.
pub(crate) fn unread(record: &Record<'_>, meant: Gauge) -> Option<String> {
    let mut why = None;
    for happening in record.run_events() {
        match &happening.what {
            RunEventKind::Reading(Reading { gauge, value: Ok(_), .. }) if *gauge == meant => {
                return None;
            }
            RunEventKind::Reading(Reading { gauge, value: Err(said), .. }) if *gauge == meant => {
                why = why.or(Some(said));
            }
            _ => {}
        }
    }
    why.map(|why| format!("the number of {meant} cannot be read: {why}"))
}

/// Whether the server kept something for a client that closed with a FIN while events came:
/// then the rules on less simple cases have nothing to add.
pub(crate) fn never_stops(record: &Record<'_>) -> bool {
    let meant = |view: &View<'_>| is_simple(view) && !was_quiet(view);
    let directly = judge(record, &[], "", |view| meant(view) && !was_reset(record, view));
    matches!(directly, Verdict::Fail(_))
}

/// A subscription to the server itself.
pub(crate) fn is_simple(view: &View<'_>) -> bool {
    !view.via && view.request.method != "HEAD" && view.is_stream()
}

/// Whether the client disconnected with a reset.
pub(crate) fn was_reset(record: &Record<'_>, view: &View<'_>) -> bool {
    let what = RunEventKind::LeftByReset { exchange: view.number };
    record.run_events().iter().any(|happening| happening.what == what)
}

/// `3 producers`, `1 connection`.
pub(crate) fn of_gauge(gauge: Gauge, number: u64) -> String {
    match gauge {
        Gauge::Memory => format!("{} of memory", sseproof_units::bytes(number)),
        gauge => counted(number, gauge.to_string().trim_end_matches('s')),
    }
}

fn is_silent(view: &View<'_>) -> bool {
    matches!(Outcome::of(view), Outcome::Silent(_))
}

fn producer<'r>(of: &[&'r Leaving<'r>]) -> Producer<'r> {
    let moved = |leaving: &&&Leaving<'_>| {
        leaving.view.request.method == "HEAD"
            || leaving.during.is_none_or(|during| during > leaving.before)
    };
    let mut moved = of.iter().filter(moved).peekable();
    if moved.peek().is_none() {
        return Producer::Unseen;
    }
    let mut gone = Duration::ZERO;
    for leaving in moved {
        if leaving.after > leaving.before {
            return Producer::Stays(leaving);
        }
        gone = gone.max(leaving.waited);
    }
    Producer::Gone(gone)
}

impl Leaving<'_> {
    fn fault(&self) -> Fault {
        let Self { gauge, before, after, .. } = self;
        let during = self.during.map_or_else(String::new, |during| format!(", {during} with it"));
        let is_kept = self.view.role == Some(Role::SameConnection);
        let message = format!(
            "{} after {}, there {} still {}: {before} before it came{during}",
            shown(self.waited),
            if is_kept { "the answer to HEAD" } else { "the client disconnected" },
            if *after == 1 { "is" } else { "are" },
            of_gauge(*gauge, *after)
        );
        let fault = Fault::whole(&self.view, message);
        if is_kept {
            return fault.so("a load balancer keeps its connection and sends HEAD every few seconds: each one leaves a producer");
        }
        fault
    }
}

/// The clients that disconnected between two comparable readings.
pub(crate) fn leavings<'r>(record: &'r Record<'_>) -> Vec<Leaving<'r>> {
    let readings = || {
        record.run_events().iter().filter_map(|happening| match &happening.what {
            RunEventKind::Reading(reading) => Some((happening, reading)),
            _ => None,
        })
    };
    let mut leavings = Vec::new();
    for (last, reading) in readings() {
        let (Some(against), &Ok(after)) = (&reading.against, &reading.value) else { continue };
        // Memory and threads go up and down for reasons of their own: lifecycle/no-leak counts them
        // over many clients.
        if !matches!(reading.gauge, Gauge::Active | Gauge::Connections) {
            continue;
        }
        let same = |(happening, other): &(&RunEvent, &Reading)| {
            happening.scenario == last.scenario && other.gauge == reading.gauge
        };
        let first = readings()
            .filter(same)
            .rfind(|(happening, _)| happening.name == *against && happening.at <= last.at);
        let Some((first, &Reading { value: Ok(before), .. })) = first else { continue };
        let view = record.all().filter(|view| {
            let is_head = view.request.method == "HEAD";
            let left = view.end.how == Ending::Disconnected && view.head.is_some();
            // The work for a HEAD may go on also if no answer came.
            let was_head = is_head && (view.head.is_some() || is_silent(view));
            view.scenario == last.scenario
                && view.started >= first.at
                && view.end.at <= last.at
                && (left || was_head)
        });
        let Some(view) = view.max_by_key(|view| view.end.at) else { continue };
        let during = readings()
            .filter(same)
            .filter(|(happening, _)| happening.at > view.started && happening.at <= view.end.at)
            .find_map(|(_, reading)| reading.value.clone().ok());
        let waited = last.at.saturating_sub(view.end.at);
        leavings.push(Leaving { view, gauge: reading.gauge, before, during, after, waited });
    }
    leavings
}

/// The names of the readings that rules look for; probes give them.
pub(crate) mod named {
    pub(crate) const BEFORE: &str = "before";
    pub(crate) const ALONE: &str = "alone";
    pub(crate) const STALLED: &str = "stalled";
    pub(crate) const AGAIN: &str = "stalled-again";
    pub(crate) const NONE: &str = "nobody";
    pub(crate) const ONE: &str = "one";
    pub(crate) const TWO: &str = "two";
    pub(crate) const THREE: &str = "three";
}

/// The last value of the gauge that was read under this name in the scenario.
pub(crate) fn reading(
    record: &Record<'_>,
    meant: Gauge,
    name: &str,
    scenario: &str,
) -> Option<u64> {
    record.run_events().iter().rev().find_map(|happening| match &happening.what {
        RunEventKind::Reading(Reading { gauge, value: Ok(value), .. })
            if *gauge == meant && happening.name == name && happening.scenario == scenario =>
        {
            Some(*value)
        }
        _ => None,
    })
}

/// The answer of a rule that found no reading: the line that is missing, or what is wrong with the
/// one that is there.
pub(crate) fn nothing_read(record: &Record<'_>, gauge: Gauge, of: &[Lack], what: &str) -> Verdict {
    let is_lacking =
        |what: &RunEventKind| matches!(what, RunEventKind::Lacking(lack) if of.contains(lack));
    let lacks = record.run_events().iter().any(|happening| is_lacking(&happening.what));
    match unread(record, gauge).filter(|_| !lacks) {
        Some(why) => Verdict::Inconclusive(why),
        None => Verdict::Skip(lacking(record, of, what)),
    }
}

/// Why there is nothing to judge, with the line that changes it.
pub(crate) fn lacking(record: &Record<'_>, of: &[Lack], what: &str) -> String {
    let lack = record.run_events().iter().find_map(|happening| match happening.what {
        RunEventKind::Lacking(Lack::Stream) if of.contains(&Lack::Publish) => {
            Some((Lack::Stream, happening))
        }
        RunEventKind::Lacking(lack) if of.contains(&lack) => Some((lack, happening)),
        _ => None,
    });
    let Some((lack, happening)) = lack else { return what.to_owned() };
    let why = record.run_events().iter().find_map(|other| match &other.what {
        RunEventKind::Reading(Reading { value: Err(why), .. })
            if other.scenario == happening.scenario =>
        {
            Some(format!(" ({why})"))
        }
        _ => None,
    });
    let needs = match lack {
        Lack::Stream => {
            return "what is published comes only in the answer to its request (`answer: true`)"
                .to_owned();
        }
        Lack::Publish => "nothing says how to publish",
        Lack::Active => "nothing says how many producers are alive",
        Lack::Process => "nothing says how much memory the server holds",
        Lack::Restart => "nothing says how to restart the server",
        Lack::Start => "the run did not start the server",
        Lack::Via => "no proxy is named",
        Lack::Http2 => "HTTP/2 is not spoken",
    };
    let why = why.unwrap_or_default();
    let flag = if lack == Lack::Start { ", or give --start" } else { "" };
    format!("{needs}{why}; add `{}` to the file of --target{flag}", lack.line())
}

/// For mutants: the right response, which stays alive when a client disconnects in this way.
pub(crate) fn outliving(visit: &Visit<'_>, only: Option<Departure>) -> Plan {
    let outlive = sseproof_http::Action::Outlive { time: LONG, only };
    reference::answer(visit).after([outlive])
}
