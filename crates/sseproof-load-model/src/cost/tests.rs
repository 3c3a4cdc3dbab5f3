//! Runs that were made up, with a known cost.

use rand::SeedableRng as _;
use rand_distr::{Distribution as _, Normal};

use super::*;
use crate::{Counters, Interval, Resources, Run};

struct Made {
    /// Bytes of each connection, of the server.
    each: f64,
    /// Bytes of each connection after its first event.
    event: f64,
    /// Bytes of noise, the standard deviation.
    noise: f64,
    /// How many connections each plateau has.
    plateaus: &'static [u64],
    /// Bytes of each connection that are not released.
    kept: f64,
}

const MADE: Made = Made {
    each: 1500.0,
    event: 4096.0,
    noise: 20_000.0,
    plateaus: &[0, 3000, 6000, 9000, 12_000, 15_000],
    kept: 96.0,
};

const BASE: f64 = 8e6;

fn usage(memory: f64, cpu_ms: u64) -> Usage {
    let private = memory.max(0.0).round() as u64;
    let (pss, cpu) = (private + 4_000_000, cpu_ms * 1_000_000);
    Usage { pss, private, cpu, processes: 1, ..Usage::default() }
}

/// Three readings a second apart at each plateau, ten more at the last one while each client gets an
/// event in a second (2 µs of the server and 1 µs of the generator for each), and three after all
/// have disconnected.
fn run(made: &Made) -> Outcome {
    let mut chance = rand::rngs::StdRng::seed_from_u64(11);
    let noise = Normal::new(0.0, made.noise).unwrap();
    let peak = made.plateaus.last().copied().unwrap_or_default();
    let mut samples: Vec<Sample> = Vec::new();
    let mut push = |open: u64, events: u64, server: f64, of_one: f64| {
        // An idle connection takes 3 µs of the server in a second.
        let at_ms = samples.len() as u64 * 1000;
        let idle = samples.last().map_or(0, |last| last.open) * 3;
        let before = samples.last().and_then(|last| last.server).map_or(0, |usage| usage.cpu);
        let new = events - samples.last().map_or(0, |last| last.events);
        let mut server = usage(server + noise.sample(&mut chance), 0);
        server.cpu = before + (idle + 2 * new) * 1000;
        let mut generator = usage(5e6 + of_one * open as f64 + noise.sample(&mut chance), 0);
        generator.cpu = events * 1000;
        let slab = 2e8 + 9700.0 * open as f64;
        let kernel = Kernel {
            tcp: events / 7 * 4096,
            slab: slab as u64,
            unreclaimable: slab as u64 / 2,
            sockets: None,
        };
        let (server, generator, kernel) = (Some(server), Some(generator), Some(kernel));
        samples.push(Sample { at_ms, open, events, server, generator, kernel, waiting: None });
    };
    for open in made.plateaus {
        (0..3).for_each(|_| push(*open, 0, BASE + made.each * *open as f64, 1000.0));
    }
    for second in 1..=10 {
        let each = made.each + made.event;
        push(peak, peak * second, BASE + each * peak as f64, 1000.0);
    }
    (0..3).for_each(|_| push(0, peak * 10, BASE + made.kept * peak as f64, 0.0));
    let mut counters = Counters::default();
    counters.add(Counter::Streams, peak);
    counters.add(Counter::Events, peak * 10);
    Outcome {
        run: Run { interval_ms: 1000, ..Run::default() },
        intervals: vec![Interval { counters, ..Interval::default() }],
        resources: Resources { samples },
    }
}

fn measured(cost: &Cost, figure: Figure) -> (f64, Option<f64>) {
    let estimate = cost.figure(figure).unwrap_or_else(|why| panic!("{}: {why}", figure.key()));
    (estimate.value.amount, estimate.interval.map(|(low, high)| (high - low) / 2.0))
}

fn why(cost: &Cost, figure: Figure) -> Unmeasured {
    cost.figure(figure).expect_err(figure.key()).clone()
}

#[test]
fn a_known_slope_is_found_within_its_interval() {
    for (noise, each, within) in [
        (0.0, 1500.0, 0.01),
        (20_000.0, 1500.0, 20.0),
        (1_000_000.0, 1500.0, 1000.0),
        (100_000.0, 40_000.0, 100.0),
    ] {
        let cost = Cost::of(&run(&Made { noise, each, ..MADE }));
        assert_eq!((cost.points, cost.plateaus, cost.idle, cost.peak), (6, true, true, 15_000));
        for (figure, truth) in [
            (Figure::MemoryServer, each),
            (Figure::MemoryServerPss, each),
            (Figure::MemoryGenerator, 1000.0),
            (Figure::MemoryKernel, 9700.0),
        ] {
            let (value, off) = measured(&cost, figure);
            let off = off.unwrap();
            assert!(off <= within, "{} {noise}: ± {off}", figure.key());
            assert!(
                (value - truth).abs() <= off + 0.01,
                "{} {noise}: {value} ± {off}",
                figure.key()
            );
        }
        let (base, off) = measured(&cost, Figure::MemoryServerBase);
        assert!((base - BASE).abs() <= off.unwrap() + 1.0, "{base} ± {off:?}");
    }
}

#[test]
fn memory_of_events_differs_from_memory_that_is_kept() {
    let cost = Cost::of(&run(&Made { noise: 0.0, ..MADE }));
    for (figure, truth) in [
        (Figure::MemoryServerFirstEvent, 4096.0),
        (Figure::MemoryServerKept, 96.0),
        (Figure::MemoryServerAllIn, (BASE + 4e6) / 15_000.0 + 1500.0 + 4096.0),
        (Figure::MemoryGeneratorAllIn, 9e6 / 15_000.0 + 1000.0),
        (Figure::MemoryGeneratorFirstEvent, 0.0),
    ] {
        let (value, off) = measured(&cost, figure);
        assert!((value - truth).abs() < 0.01 && off.is_none(), "{}: {value}", figure.key());
    }
    assert_eq!(why(&cost, Figure::MemoryKernelSockets), Unmeasured::NoSlabs);
}

#[test]
fn processor_time_has_the_error_of_its_ticks() {
    let cost = Cost::of(&run(&MADE));
    // 12 s at the peak: 2 µs for each of 150,000 events, and 3 µs for each of 15,000 in a second.
    for (figure, truth, off) in [
        (Figure::CpuServer, 2000.0 + 12.0 * 3000.0 / 10.0, 10e6 / 150_000.0),
        (Figure::CpuGenerator, 1000.0, 10e6 / 150_000.0),
        (Figure::CpuServerShare, (12.0 * 0.045 + 0.3) / 12.0, 0.01 / 12.0),
        (Figure::CpuServerIdle, 3000.0, 10e6 / 30_000.0),
        (Figure::CpuGeneratorIdle, 0.0, 10e6 / 60_000.0),
    ] {
        let (value, half) = measured(&cost, figure);
        assert!((value - truth).abs() <= 1e-9 + truth * 1e-9, "{}: {value}", figure.key());
        assert!((half.unwrap() - off).abs() <= off * 1e-9, "{}: ± {half:?}", figure.key());
    }
}

#[test]
fn thin_readings_tell_nothing_and_why() {
    let few = Cost::of(&run(&Made { plateaus: &[0, 10, 20, 30], ..MADE }));
    assert_eq!(why(&few, Figure::MemoryServer), Unmeasured::FewConnections(30));
    assert_eq!(why(&few, Figure::MemoryServerKept), Unmeasured::FewConnections(30));
    assert_eq!(why(&few, Figure::MemoryServerFirstEvent), Unmeasured::FewConnections(30));
    assert_eq!(why(&few, Figure::CpuServer), Unmeasured::FewEvents(300));
    assert_eq!(why(&few, Figure::CpuServerIdle), Unmeasured::NeverQuiet);

    let level = Cost::of(&run(&Made { plateaus: &[15_000], ..MADE }));
    assert_eq!(why(&level, Figure::MemoryServer), Unmeasured::NoRamp);
    assert_eq!(why(&level, Figure::MemoryServerKept), Unmeasured::NoBegin);

    let two = Cost::of(&run(&Made { plateaus: &[0, 15_000], noise: 0.0, ..MADE }));
    assert_eq!(measured(&two, Figure::MemoryServer), (1500.0, None));

    let mut swapped = run(&MADE);
    swapped.resources.samples[5].server.as_mut().unwrap().swapped = 1;
    assert_eq!(why(&Cost::of(&swapped), Figure::MemoryServer), Unmeasured::Swapped);
    measured(&Cost::of(&swapped), Figure::MemoryGenerator);

    let mut alone = run(&MADE);
    alone.resources.samples.iter_mut().for_each(|sample| sample.server = None);
    let alone = Cost::of(&alone);
    for (figure, result) in alone.figures().filter(|(figure, _)| figure.is_of_server()) {
        assert_eq!(result, Err(&Unmeasured::NoServer), "{}", figure.key());
    }
    measured(&alone, Figure::MemoryGenerator);
    assert_eq!(alone.value("memory.server"), None);
    assert!(alone.value("memory.generator").is_some());

    let mut cut = run(&MADE);
    cut.resources.samples.truncate(19);
    let cut = Cost::of(&cut);
    assert_eq!(why(&cut, Figure::MemoryServerKept), Unmeasured::NoEnd);
    measured(&cut, Figure::MemoryServer);

    let nothing = Outcome { resources: Resources::default(), ..run(&MADE) };
    for (figure, result) in Cost::of(&nothing).figures() {
        assert_eq!(result, Err(&Unmeasured::NoSamples), "{}", figure.key());
    }
}

#[test]
fn memory_that_was_there_before_is_no_memory_of_connections() {
    for (each, noise) in [(0.0, 20_000.0), (-3.0, 0.0), (40.0, 0.0)] {
        let cost = Cost::of(&run(&Made { each, noise, ..MADE }));
        for figure in [
            Figure::MemoryServer,
            Figure::MemoryServerBase,
            Figure::MemoryServerPss,
            Figure::MemoryServerFirstEvent,
        ] {
            assert_eq!(why(&cost, figure), Unmeasured::Warm, "{each}: {}", figure.key());
        }
        measured(&cost, Figure::MemoryServerAllIn);
        measured(&cost, Figure::MemoryGenerator);
    }
}

#[test]
fn what_an_earlier_run_left_in_the_same_process_is_noticed() {
    let rooted = |root, more: u64| {
        let mut outcome = run(&MADE);
        for usage in outcome.resources.samples.iter_mut().filter_map(|s| s.server.as_mut()) {
            usage.root = root;
            usage.private += more;
        }
        outcome
    };
    let warm = |first: &Outcome, second: &Outcome| {
        let costs = Cost::of_all(&[first.clone(), second.clone()]);
        measured(&costs[0], Figure::MemoryServer);
        measured(&costs[1], Figure::MemoryServerKept);
        measured(&costs[1], Figure::MemoryGenerator);
        costs[1].figure(Figure::MemoryServer) == Err(&Unmeasured::Warm)
    };
    let first = rooted(7, 0);
    // 15,000 connections and their events add 84 MB.
    assert!(warm(&first, &rooted(7, 9_000_000)));
    assert!(!warm(&first, &rooted(7, 7_000_000)));
    assert!(!warm(&first, &rooted(8, 40_000_000)));
    assert!(!warm(&rooted(0, 0), &rooted(0, 40_000_000)));
}

#[test]
fn events_from_the_begin_leave_nothing_to_compare_with() {
    let mut early = run(&MADE);
    for (at, sample) in early.resources.samples.iter_mut().enumerate() {
        sample.events += at as u64;
    }
    let cost = Cost::of(&early);
    assert!(!cost.idle);
    assert_eq!(why(&cost, Figure::MemoryServerFirstEvent), Unmeasured::NoFirstEvent);
    // The peak ends with events, and so does the line: it has them in its slope.
    assert!(measured(&cost, Figure::MemoryServer).0 > 1600.0);
}

#[test]
fn a_process_that_takes_its_account_along_is_noticed() {
    let mut ended = run(&MADE);
    for sample in ended.resources.samples.iter_mut().skip(20) {
        sample.server.as_mut().unwrap().cpu = 0;
    }
    assert_eq!(why(&Cost::of(&ended), Figure::CpuServer), Unmeasured::Ended);
}

#[test]
fn each_figure_has_a_value_of_its_dimension() {
    let mut all = run(&MADE);
    for sample in &mut all.resources.samples {
        sample.kernel.as_mut().unwrap().sockets = Some(sample.open * 7000);
    }
    let cost = Cost::of(&all);
    assert_eq!(cost.figures().count(), Figure::ALL.len());
    for (figure, result) in cost.figures() {
        let estimate = result.unwrap_or_else(|why| panic!("{}: {why}", figure.key()));
        assert_eq!(estimate.value.dimension, figure.dimension(), "{}", figure.key());
        assert_eq!(cost.value(figure.key()), Some(estimate.value));
    }
}
