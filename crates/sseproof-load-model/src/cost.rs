//! The cost of a connection and of an event: memory and processor time, computed from many readings.
//!
//! Memory per connection is a slope with a confidence interval: a quotient would include the memory
//! of a process without connections. Only the rise counts, since allocators keep freed memory; for
//! the same reason the first of several rounds counts. If there are too few readings, the reason
//! replaces the number.
//!
//! Memory charged by TCP is not added to the slabs, which contain part of it. The kernel's share is
//! per connection, and includes both ends if the server runs on the same machine.

mod line;
mod phases;

use std::fmt;

use sseproof_units::{Dimension, Value};

use crate::{Counter, Figure, Kernel, Outcome, Sample, Usage};

pub(crate) use line::students_t;
use line::{Estimated, Line, line};
use phases::Phases;

/// Memory comes in pages and arenas, so fewer connections do not show their size.
pub const FEWEST_CONNECTIONS: u64 = 100;

/// A connection costs a process at least its descriptor and its state. If it seems to cost less, the
/// memory was there before.
pub const LEAST_BYTES: u64 = 64;

/// Processor time per event needs at least so many.
pub const FEWEST_EVENTS: u64 = 1000;

/// In milliseconds; processor time is counted in ticks, so a shorter time shows nothing.
pub const SHORTEST_MS: u64 = 2000;

/// The tick of the kernel's processor times, in nanoseconds: a time is off by one at both ends.
const TICK: f64 = 10_000_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    pub value: Value,
    /// The lowest and highest possible value: for memory the 95 % confidence interval of the line, for
    /// processor time the error of the kernel's ticks.
    pub interval: Option<(f64, f64)>,
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interval {
            Some((_, high)) => {
                f.write_str(&self.value.with_error((high - self.value.amount).abs()))
            }
            None => self.value.fmt(f),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unmeasured {
    #[error("no process of the server was read: name it by --server-pid or --server-cmd")]
    NoServer,
    #[error("nothing was read of the processes and the kernel")]
    NoSamples,
    #[error("/sys/kernel/slab can be read only by root")]
    NoSlabs,
    #[error(
        "{0} connections are too few, since memory comes in pages: open {FEWEST_CONNECTIONS} or, better, thousands"
    )]
    FewConnections(u64),
    #[error("all readings have the same number of connections: add plateaus to the ramp")]
    NoRamp,
    #[error(
        "the process had memory for connections before they were opened, from earlier ones or allocated in advance: restart it for each run"
    )]
    Warm,
    #[error("memory was swapped out during the ramp, so the readings are too low")]
    Swapped,
    #[error("nothing was read before the first client connected")]
    NoBegin,
    #[error("nothing was read after all clients had disconnected")]
    NoEnd,
    /// There was no event before the peak, or none after it.
    #[error(
        "events came before all clients were connected, or not to all of them: publish only after the ramp"
    )]
    NoFirstEvent,
    #[error("{0} events are too few: at least {FEWEST_EVENTS} must arrive")]
    FewEvents(u64),
    #[error("all clients were connected for less than {SHORTEST_MS} ms: hold them longer (--hold)")]
    Short,
    #[error("there were no {SHORTEST_MS} ms in which clients were connected and no event came")]
    NeverQuiet,
    #[error("a process ended, and its processor time is lost")]
    Ended,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    figures: Vec<(Figure, Result<Estimate, Unmeasured>)>,
    /// The number of points of the lines of memory.
    pub points: usize,
    /// Whether these are plateaus of the ramp; otherwise each is a reading during it.
    pub plateaus: bool,
    /// Whether no event had arrived at any of them.
    pub idle: bool,
    pub peak: u64,
}

impl Cost {
    pub fn of(outcome: &Outcome) -> Self {
        Self::measure(outcome, [].iter())
    }

    /// The cost of each of these runs, in the order in which they were made.
    ///
    /// A process that has served a run keeps memory for the next one, which would seem to cost
    /// nothing: such a run has no figure of memory.
    pub fn of_all(outcomes: &[Outcome]) -> Vec<Self> {
        let all = outcomes.iter().enumerate();
        all.map(|(at, outcome)| Self::measure(outcome, outcomes[..at].iter())).collect()
    }

    fn measure<'a>(outcome: &Outcome, earlier: impl Iterator<Item = &'a Outcome> + Clone) -> Self {
        let warm = |whose| earlier.clone().any(|earlier| left_memory(earlier, outcome, whose));
        let warm = Warm { server: warm(Whose::Server), generator: warm(Whose::Generator) };
        let samples = &outcome.resources.samples;
        let phases = Phases::of(samples);
        let (rise, plateaus) = phases.as_ref().map(Phases::rise).unwrap_or_default();
        let tell = |figure| {
            let phases = phases.as_ref().ok_or(Unmeasured::NoSamples)?;
            tell(figure, phases, &rise, (outcome, warm))
        };
        Self {
            figures: Figure::ALL.map(|figure| (figure, tell(figure))).into(),
            points: rise.len(),
            plateaus,
            idle: rise.iter().all(|sample| sample.events == 0),
            peak: phases.as_ref().map_or(0, |phases| phases.peak),
        }
    }

    pub fn figures(&self) -> impl Iterator<Item = (Figure, Result<&Estimate, &Unmeasured>)> {
        self.figures.iter().map(|(figure, result)| (*figure, result.as_ref()))
    }

    /// The figure, or why there is none.
    ///
    /// # Errors
    /// [`Unmeasured`] if there are too few readings.
    pub fn figure(&self, figure: Figure) -> Result<&Estimate, &Unmeasured> {
        let found = self.figures.iter().find(|(known, _)| *known == figure);
        found.map_or(Err(&Unmeasured::NoSamples), |(_, result)| result.as_ref())
    }

    /// The value of the figure of that key, as [`threshold::Evidence`](crate::threshold::Evidence)
    /// needs it.
    pub fn value(&self, key: &str) -> Option<Value> {
        self.figure(Figure::of(key)?).ok().map(|estimate| estimate.value)
    }
}

/// The samples through which the lines of memory go.
pub fn ramp(outcome: &Outcome) -> Vec<&Sample> {
    let phases = Phases::of(&outcome.resources.samples);
    phases.map(|phases| phases.rise().0).unwrap_or_default()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Server,
    Generator,
}

impl Whose {
    fn usage(self, sample: &Sample) -> Result<Usage, Unmeasured> {
        match self {
            Self::Server => sample.server.ok_or(Unmeasured::NoServer),
            Self::Generator => sample.generator.ok_or(Unmeasured::NoSamples),
        }
    }
}

#[derive(Clone, Copy)]
struct Warm {
    server: bool,
    generator: bool,
}

/// Whether the same process began the later run with more than a tenth of what the earlier one had
/// added to its memory.
fn left_memory(earlier: &Outcome, later: &Outcome, whose: Whose) -> bool {
    let usages = |outcome: &Outcome| -> Vec<Usage> {
        outcome.resources.samples.iter().filter_map(|sample| whose.usage(sample).ok()).collect()
    };
    let (earlier, later) = (usages(earlier), usages(later));
    let (Some(first), Some(now)) = (earlier.first(), later.first()) else { return false };
    let most = earlier.iter().map(|usage| usage.private).max().unwrap_or_default();
    let added = most.saturating_sub(first.private);
    first.root == now.root
        && first.root > 0
        && now.private > first.private.saturating_add(added / 10)
}

fn tell(
    figure: Figure,
    phases: &Phases<'_>,
    rise: &[&Sample],
    (outcome, warm): (&Outcome, Warm),
) -> Result<Estimate, Unmeasured> {
    use Whose::{Generator, Server};
    let process = |whose: Whose, memory: fn(&Usage) -> u64| {
        let is_warm = if whose == Server { warm.server } else { warm.generator };
        let line = fit_process(rise, whose, memory)?;
        let most = line.slope.value + line.slope.off.unwrap_or_default();
        if is_warm || most < LEAST_BYTES as f64 { Err(Unmeasured::Warm) } else { Ok(line) }
    };
    // Memory that an earlier run left also hides the memory that an event adds.
    let event = |whose: Whose| {
        let added = first_event(phases, whose)?;
        match process(whose, |usage| usage.private) {
            Err(Unmeasured::Warm) => Err(Unmeasured::Warm),
            _ => Ok(added),
        }
    };
    let private: fn(&Usage) -> u64 = |usage| usage.private;
    let pss: fn(&Usage) -> u64 = |usage| usage.pss;
    let kernel = |memory: fn(&Kernel) -> Option<u64>| {
        let of = |sample: &Sample| {
            memory(sample.kernel.as_ref().ok_or(Unmeasured::NoSamples)?).ok_or(Unmeasured::NoSlabs)
        };
        Ok(bytes(fit(rise, of)?.slope))
    };
    match figure {
        Figure::MemoryServer => Ok(bytes(process(Server, private)?.slope)),
        Figure::MemoryServerBase => Ok(bytes(process(Server, private)?.intercept)),
        Figure::MemoryServerPss => Ok(bytes(process(Server, pss)?.slope)),
        Figure::MemoryServerAllIn => all_in(phases, Server),
        Figure::MemoryServerFirstEvent => event(Server),
        Figure::MemoryServerKept => {
            let streams = outcome.total().counters.count(Counter::Streams);
            kept(phases, streams.max(phases.peak))
        }
        Figure::MemoryGenerator => Ok(bytes(process(Generator, private)?.slope)),
        Figure::MemoryGeneratorBase => Ok(bytes(process(Generator, private)?.intercept)),
        Figure::MemoryGeneratorPss => Ok(bytes(process(Generator, pss)?.slope)),
        Figure::MemoryGeneratorAllIn => all_in(phases, Generator),
        Figure::MemoryGeneratorFirstEvent => event(Generator),
        Figure::MemoryKernel => kernel(|kernel| Some(kernel.slab)),
        Figure::MemoryKernelTcp => kernel(|kernel| Some(kernel.tcp)),
        Figure::MemoryKernelSockets => kernel(|kernel| kernel.sockets),
        Figure::CpuServer => cpu_per_event(phases, Server),
        Figure::CpuServerShare => cpu_share(phases, Server),
        Figure::CpuServerIdle => cpu_idle(phases, Server),
        Figure::CpuGenerator => cpu_per_event(phases, Generator),
        Figure::CpuGeneratorShare => cpu_share(phases, Generator),
        Figure::CpuGeneratorIdle => cpu_idle(phases, Generator),
    }
}

fn bytes(estimated: Estimated) -> Estimate {
    let Estimated { value, off } = estimated;
    Estimate { value: Value::bytes(value), interval: off.map(|off| (value - off, value + off)) }
}

fn fit_process(
    rise: &[&Sample],
    whose: Whose,
    memory: fn(&Usage) -> u64,
) -> Result<Line, Unmeasured> {
    let fitted = fit(rise, |sample| whose.usage(sample).map(|usage| memory(&usage)))?;
    let swapped = |sample: &&Sample| whose.usage(sample).map_or(0, |usage| usage.swapped);
    if rise.iter().map(swapped).max() != rise.iter().map(swapped).min() {
        return Err(Unmeasured::Swapped);
    }
    Ok(fitted)
}

/// The line through the values that `of` returns; samples without a value are left out.
fn fit(
    rise: &[&Sample],
    of: impl Fn(&Sample) -> Result<u64, Unmeasured>,
) -> Result<Line, Unmeasured> {
    let mut points = Vec::with_capacity(rise.len());
    let mut missing = Unmeasured::NoSamples;
    for sample in rise {
        match of(sample) {
            Ok(bytes) => points.push((sample.open as f64, bytes as f64)),
            Err(why) => missing = why,
        }
    }
    if points.is_empty() {
        return Err(missing);
    }
    let open = || points.iter().map(|point| point.0);
    let most = open().fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u64")]
    let most_open = most as u64;
    if most_open < FEWEST_CONNECTIONS {
        return Err(Unmeasured::FewConnections(most_open));
    }
    let spread = most - open().fold(f64::INFINITY, f64::min);
    if spread < FEWEST_CONNECTIONS as f64 {
        return Err(Unmeasured::NoRamp);
    }
    line(&points).ok_or(Unmeasured::NoRamp)
}

/// Everything, the base included, for each connection at the peak.
fn all_in(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Unmeasured> {
    let last = phases.top().last().ok_or(Unmeasured::NoSamples)?;
    let usage = whose.usage(last)?;
    if last.open < FEWEST_CONNECTIONS {
        return Err(Unmeasured::FewConnections(last.open));
    }
    Ok(plain(usage.pss as f64 / last.open as f64, Dimension::Bytes))
}

/// The increase at the peak from before the first event to after it.
fn first_event(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Unmeasured> {
    let before = phases.idle_top().last().ok_or(Unmeasured::NoFirstEvent)?;
    let after = phases.top().last().ok_or(Unmeasured::NoSamples)?;
    let (before_usage, after_usage) = (whose.usage(before)?, whose.usage(after)?);
    if after.events < after.open {
        return Err(Unmeasured::NoFirstEvent);
    }
    if after.open < FEWEST_CONNECTIONS {
        return Err(Unmeasured::FewConnections(after.open));
    }
    if before_usage.swapped != after_usage.swapped {
        return Err(Unmeasured::Swapped);
    }
    let more = after_usage.private as f64 - before_usage.private as f64;
    Ok(plain(more / after.open as f64, Dimension::Bytes))
}

/// The server's memory at the end less that at the start, for each stream.
fn kept(phases: &Phases<'_>, streams: u64) -> Result<Estimate, Unmeasured> {
    let (begin, end) = phases.begin_and_end();
    let begin = Whose::Server.usage(begin.ok_or(Unmeasured::NoBegin)?)?;
    let end = Whose::Server.usage(end.ok_or(Unmeasured::NoEnd)?)?;
    if streams < FEWEST_CONNECTIONS {
        return Err(Unmeasured::FewConnections(streams));
    }
    if begin.swapped != end.swapped {
        return Err(Unmeasured::Swapped);
    }
    Ok(plain((end.private as f64 - begin.private as f64) / streams as f64, Dimension::Bytes))
}

fn plain(amount: f64, dimension: Dimension) -> Estimate {
    Estimate { value: Value::new(amount, dimension), interval: None }
}

struct Span {
    cpu: f64,
    milliseconds: u64,
    events: u64,
}

fn span(from: &Sample, to: &Sample, whose: Whose) -> Result<Span, Unmeasured> {
    let (before, after) = (whose.usage(from)?.cpu, whose.usage(to)?.cpu);
    Ok(Span {
        cpu: after.checked_sub(before).ok_or(Unmeasured::Ended)? as f64,
        milliseconds: to.at_ms.saturating_sub(from.at_ms),
        events: to.events.saturating_sub(from.events),
    })
}

/// The peak, where processor time goes into events and not into opening connections.
fn at_the_peak(phases: &Phases<'_>, whose: Whose) -> Result<Span, Unmeasured> {
    let top = phases.top();
    let (Some(from), Some(to)) = (top.first(), top.last()) else {
        return Err(Unmeasured::NoSamples);
    };
    let span = span(from, to, whose)?;
    if span.milliseconds < SHORTEST_MS { Err(Unmeasured::Short) } else { Ok(span) }
}

fn cpu_per_event(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Unmeasured> {
    let span = at_the_peak(phases, whose)?;
    if span.events < FEWEST_EVENTS {
        return Err(Unmeasured::FewEvents(span.events));
    }
    Ok(of_time(span.cpu, span.events as f64, Dimension::Time))
}

fn cpu_share(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Unmeasured> {
    let span = at_the_peak(phases, whose)?;
    Ok(of_time(span.cpu, span.milliseconds as f64 * 1e6, Dimension::Share))
}

fn cpu_idle(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Unmeasured> {
    let (from, to) = phases.silence(FEWEST_CONNECTIONS).ok_or(Unmeasured::NeverQuiet)?;
    let span = span(from, to, whose)?;
    if span.milliseconds < SHORTEST_MS {
        return Err(Unmeasured::NeverQuiet);
    }
    let seconds = span.milliseconds as f64 / 1000.0;
    Ok(of_time(span.cpu, to.open as f64 * seconds, Dimension::Time))
}

fn of_time(cpu: f64, by: f64, dimension: Dimension) -> Estimate {
    let interval = ((cpu - TICK).max(0.0) / by, (cpu + TICK) / by);
    Estimate { value: Value::new(cpu / by, dimension), interval: Some(interval) }
}

#[cfg(test)]
mod tests;
