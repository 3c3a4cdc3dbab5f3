//! What a connection and an event cost: memory and processor time, told from many readings.
//!
//! Memory per connection is the slope of a line, for a process has memory without connections, too,
//! and dividing by them would count it. Where the readings are too thin for an answer there is none,
//! and why.

mod line;
mod phases;

use std::fmt;

use sseproof_units::{Dimension, Value};

use crate::{Counter, Figure, Kernel, Outcome, Sample, Usage};

pub(crate) use line::students_t;
use line::{Estimated, Line, line};
use phases::Phases;

/// How many connections are the least that memory can be told from: it comes in pages and arenas.
pub const FEWEST_CONNECTIONS: u64 = 100;

/// How many bytes a connection costs a process at least: it has a descriptor, and who it is. Where it
/// seems to cost less, the memory was there before.
pub const LEAST_BYTES: u64 = 64;

/// How many events are the least that processor time can be told from.
pub const FEWEST_EVENTS: u64 = 1000;

/// How much time must pass at least, in milliseconds, for processor time is told in ticks.
pub const SHORTEST_MS: u64 = 2000;

/// The tick in which a kernel tells processor time, in nanoseconds: it is off by one at both ends.
const TICK: f64 = 10_000_000.0;

/// A figure that was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How much.
    pub value: Value,
    /// Between which values it lies, in the value's own unit: for memory the 95 % confidence interval
    /// of the line, for processor time what the kernel's ticks leave open.
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

/// Why a figure was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undecided {
    /// Nobody looked at the server.
    #[error("no process of the server was read: name it by --server-pid or --server-cmd")]
    NoServer,
    /// Nobody looked at all.
    #[error("nothing was read of the processes and the kernel")]
    NoSamples,
    /// This kernel does not tell.
    #[error("/sys/kernel/slab could not be read: only root may")]
    NoSlabs,
    /// Too few connections.
    #[error(
        "{0} connections are too few to tell, since memory comes in pages and arenas: open {FEWEST_CONNECTIONS} or, better, thousands"
    )]
    FewConnections(u64),
    /// All readings had as many connections.
    #[error("all readings were made with the same number of connections: give the ramp plateaus")]
    NoRamp,
    /// The process had memory for connections already.
    #[error(
        "the process had memory for connections before they came, left by earlier ones or taken in advance: start it anew for each run"
    )]
    Warm,
    /// Memory was swapped out.
    #[error("memory was swapped out during the ramp, so that what is left of it says nothing")]
    Swapped,
    /// Nobody looked before the first client came.
    #[error("nothing was read before the first client came")]
    NoBegin,
    /// The clients had not left.
    #[error("nothing was read after all clients had left")]
    NoEnd,
    /// There was no event before the peak, or none behind it.
    #[error(
        "events came before all clients were there, or not to all of them: publish only after the ramp"
    )]
    NoFirstEvent,
    /// Too few events.
    #[error("{0} events are too few to tell: let {FEWEST_EVENTS} arrive at least")]
    FewEvents(u64),
    /// Too short.
    #[error(
        "as many clients as ever were there for {0} ms only: hold them for {SHORTEST_MS} ms at least"
    )]
    Short(u64),
    /// It was never quiet.
    #[error("there were no {SHORTEST_MS} ms in which clients were there and no event came")]
    NeverQuiet,
    /// Time that went backwards.
    #[error("a process ended, and took the account of its processor time with it")]
    Ended,
}

/// What was told of a run: each [`Figure`], or why not.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    figures: Vec<(Figure, Result<Estimate, Undecided>)>,
    /// How many points the lines of memory go through.
    pub points: usize,
    /// Whether these are plateaus of the ramp; otherwise each is a reading during it.
    pub plateaus: bool,
    /// Whether no event had arrived at any of them.
    pub idle: bool,
    /// How many streams were open at the peak.
    pub peak: u64,
}

impl Cost {
    /// What the run cost, where it was the first of its processes.
    pub fn of(outcome: &Outcome) -> Self {
        Self::told(outcome, [].iter())
    }

    /// What each of these runs cost, in the order in which they were made.
    ///
    /// A process that has served a run keeps memory for the next one, which would seem to cost
    /// nothing: of such a run no memory is told.
    pub fn of_all(outcomes: &[Outcome]) -> Vec<Self> {
        let all = outcomes.iter().enumerate();
        all.map(|(at, outcome)| Self::told(outcome, outcomes[..at].iter())).collect()
    }

    fn told<'a>(outcome: &Outcome, earlier: impl Iterator<Item = &'a Outcome> + Clone) -> Self {
        let warm = |whose| earlier.clone().any(|earlier| left_memory(earlier, outcome, whose));
        let warm = Warm { server: warm(Whose::Server), generator: warm(Whose::Generator) };
        let samples = &outcome.resources.samples;
        let phases = Phases::of(samples);
        let (rise, plateaus) = phases.as_ref().map(Phases::rise).unwrap_or_default();
        let tell = |figure| {
            let phases = phases.as_ref().ok_or(Undecided::NoSamples)?;
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

    /// All figures, in the order of reports.
    pub fn figures(&self) -> impl Iterator<Item = (Figure, Result<&Estimate, &Undecided>)> {
        self.figures.iter().map(|(figure, told)| (*figure, told.as_ref()))
    }

    /// The figure, or why there is none.
    ///
    /// # Errors
    /// [`Undecided`], where the readings are too thin.
    pub fn figure(&self, figure: Figure) -> Result<&Estimate, &Undecided> {
        let found = self.figures.iter().find(|(known, _)| *known == figure);
        found.map_or(Err(&Undecided::NoSamples), |(_, told)| told.as_ref())
    }

    /// The value of the figure of that key, as [`threshold::Evidence`](crate::threshold::Evidence)
    /// asks for it.
    pub fn value(&self, key: &str) -> Option<Value> {
        self.figure(Figure::of(key)?).ok().map(|estimate| estimate.value)
    }
}

/// Of whom, or of what, a figure tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Server,
    Generator,
}

impl Whose {
    fn usage(self, sample: &Sample) -> Result<Usage, Undecided> {
        match self {
            Self::Server => sample.server.ok_or(Undecided::NoServer),
            Self::Generator => sample.generator.ok_or(Undecided::NoSamples),
        }
    }
}

/// Whose memory was left by earlier runs.
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
    first.root == now.root && first.root > 0 && now.private > first.private + added / 10
}

fn tell(
    figure: Figure,
    phases: &Phases<'_>,
    rise: &[&Sample],
    (outcome, warm): (&Outcome, Warm),
) -> Result<Estimate, Undecided> {
    use Whose::{Generator, Server};
    let process = |whose: Whose, memory: fn(&Usage) -> u64| {
        let is_warm = if whose == Server { warm.server } else { warm.generator };
        let line = fit_process(rise, whose, memory)?;
        let most = line.slope.value + line.slope.off.unwrap_or_default();
        if is_warm || most < LEAST_BYTES as f64 { Err(Undecided::Warm) } else { Ok(line) }
    };
    // What an event adds is hidden by memory that was left, too.
    let event = |whose: Whose| {
        let added = first_event(phases, whose)?;
        match process(whose, |usage| usage.private) {
            Err(Undecided::Warm) => Err(Undecided::Warm),
            _ => Ok(added),
        }
    };
    let private: fn(&Usage) -> u64 = |usage| usage.private;
    let pss: fn(&Usage) -> u64 = |usage| usage.pss;
    let kernel = |memory: fn(&Kernel) -> Option<u64>| {
        let of = |sample: &Sample| {
            memory(sample.kernel.as_ref().ok_or(Undecided::NoSamples)?).ok_or(Undecided::NoSlabs)
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
) -> Result<Line, Undecided> {
    let fitted = fit(rise, |sample| whose.usage(sample).map(|usage| memory(&usage)))?;
    let swapped = |sample: &&Sample| whose.usage(sample).map_or(0, |usage| usage.swapped);
    if rise.iter().map(swapped).max() != rise.iter().map(swapped).min() {
        return Err(Undecided::Swapped);
    }
    Ok(fitted)
}

/// The line through what `of` tells of these samples; a sample of which it tells nothing is left out.
fn fit(
    rise: &[&Sample],
    of: impl Fn(&Sample) -> Result<u64, Undecided>,
) -> Result<Line, Undecided> {
    let mut points = Vec::with_capacity(rise.len());
    let mut missing = Undecided::NoSamples;
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
        return Err(Undecided::FewConnections(most_open));
    }
    let spread = most - open().fold(f64::INFINITY, f64::min);
    if spread < FEWEST_CONNECTIONS as f64 {
        return Err(Undecided::NoRamp);
    }
    line(&points).ok_or(Undecided::NoRamp)
}

/// Everything, the base included, for each connection at the peak.
fn all_in(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Undecided> {
    let last = phases.top().last().ok_or(Undecided::NoSamples)?;
    let usage = whose.usage(last)?;
    if last.open < FEWEST_CONNECTIONS {
        return Err(Undecided::FewConnections(last.open));
    }
    Ok(plain(usage.pss as f64 / last.open as f64, Dimension::Bytes))
}

/// What is more at the peak when events have arrived than when none had.
fn first_event(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Undecided> {
    let before = phases.idle_top().last().ok_or(Undecided::NoFirstEvent)?;
    let after = phases.top().last().ok_or(Undecided::NoSamples)?;
    let (before_usage, after_usage) = (whose.usage(before)?, whose.usage(after)?);
    if after.events < after.open {
        return Err(Undecided::NoFirstEvent);
    }
    if after.open < FEWEST_CONNECTIONS {
        return Err(Undecided::FewConnections(after.open));
    }
    if before_usage.swapped != after_usage.swapped {
        return Err(Undecided::Swapped);
    }
    let more = after_usage.private as f64 - before_usage.private as f64;
    Ok(plain(more / after.open as f64, Dimension::Bytes))
}

/// What the server has more in the end than in the begin, for each stream that there was.
fn kept(phases: &Phases<'_>, streams: u64) -> Result<Estimate, Undecided> {
    let (begin, end) = phases.begin_and_end();
    let begin = Whose::Server.usage(begin.ok_or(Undecided::NoBegin)?)?;
    let end = Whose::Server.usage(end.ok_or(Undecided::NoEnd)?)?;
    if streams < FEWEST_CONNECTIONS {
        return Err(Undecided::FewConnections(streams));
    }
    if begin.swapped != end.swapped {
        return Err(Undecided::Swapped);
    }
    Ok(plain((end.private as f64 - begin.private as f64) / streams as f64, Dimension::Bytes))
}

fn plain(amount: f64, dimension: Dimension) -> Estimate {
    Estimate { value: Value::new(amount, dimension), interval: None }
}

/// What passed between two samples.
struct Span {
    cpu: f64,
    milliseconds: u64,
    events: u64,
}

fn span(from: &Sample, to: &Sample, whose: Whose) -> Result<Span, Undecided> {
    let (before, after) = (whose.usage(from)?.cpu, whose.usage(to)?.cpu);
    Ok(Span {
        cpu: after.checked_sub(before).ok_or(Undecided::Ended)? as f64,
        milliseconds: to.at_ms.saturating_sub(from.at_ms),
        events: to.events.saturating_sub(from.events),
    })
}

/// The peak, where processor time goes into events and not into opening connections.
fn at_the_peak(phases: &Phases<'_>, whose: Whose) -> Result<Span, Undecided> {
    let top = phases.top();
    let (Some(from), Some(to)) = (top.first(), top.last()) else {
        return Err(Undecided::NoSamples);
    };
    let span = span(from, to, whose)?;
    if span.milliseconds < SHORTEST_MS {
        Err(Undecided::Short(span.milliseconds))
    } else {
        Ok(span)
    }
}

fn cpu_per_event(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Undecided> {
    let span = at_the_peak(phases, whose)?;
    if span.events < FEWEST_EVENTS {
        return Err(Undecided::FewEvents(span.events));
    }
    Ok(of_time(span.cpu, span.events as f64, Dimension::Time))
}

fn cpu_share(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Undecided> {
    let span = at_the_peak(phases, whose)?;
    Ok(of_time(span.cpu, span.milliseconds as f64 * 1e6, Dimension::Share))
}

fn cpu_idle(phases: &Phases<'_>, whose: Whose) -> Result<Estimate, Undecided> {
    let (from, to) = phases.silence(FEWEST_CONNECTIONS).ok_or(Undecided::NeverQuiet)?;
    let span = span(from, to, whose)?;
    if span.milliseconds < SHORTEST_MS {
        return Err(Undecided::NeverQuiet);
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
