//! Merges the results of several generators: a merge is the sum of intervals, so it equals the
//! result of one generator, and a missing part makes it partial. Readings of kernels are dropped if
//! several parts have them, since they may be from the same machine.

use std::collections::BTreeMap;

use crate::{Interval, Outcome, Resources, Run, Sample, Shard, Usage};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    #[error("there is no result to merge")]
    Nothing,
    /// They differ in something that is the same in all parts of a run.
    #[error(
        "{first} and {second} are not of the same run: {what} is {one} in the first, and {other} in the second"
    )]
    Differs { what: &'static str, first: String, one: String, second: String, other: String },
    /// A part is there twice, and would count twice.
    #[error("{first} and {second} both have part {} of {of} of round {round}: leave one of them out", index.saturating_add(1))]
    Twice { index: u64, of: u64, round: u32, first: String, second: String },
}

/// Merges the parts of a run, each with the name of its file. Rounds and transports stay apart, in
/// the order in which they are first met.
///
/// If parts are missing or incomplete, the result says so in [`Run::partial`]: it
/// is not the whole run, and does not pass.
///
/// # Errors
/// [`MergeError`], with the names of the files.
pub fn merge(
    parts: impl IntoIterator<Item = (String, Outcome)>,
) -> Result<Vec<Outcome>, MergeError> {
    let mut runs: Vec<Vec<(String, Outcome)>> = Vec::new();
    for (file, outcome) in parts {
        let same = runs.iter_mut().find(|run| {
            run.iter().all(|(_, other)| {
                (other.run.transport, other.run.round) == (outcome.run.transport, outcome.run.round)
            })
        });
        match same {
            Some(run) => run.push((file, outcome)),
            None => runs.push(vec![(file, outcome)]),
        }
    }
    if runs.is_empty() {
        return Err(MergeError::Nothing);
    }
    // Rounds of different plans do not belong into one result either.
    let firsts: Vec<_> = runs.iter().filter_map(|run| run.first()).collect();
    firsts.windows(2).try_for_each(|pair| same_run(pair[0], pair[1], false))?;
    runs.into_iter().map(one).collect()
}

fn one(parts: Vec<(String, Outcome)>) -> Result<Outcome, MergeError> {
    let mut held: BTreeMap<u64, (Shard, String)> = BTreeMap::new();
    for (n, part) in parts.iter().enumerate() {
        parts[..n].iter().try_for_each(|before| same_run(before, part, true))?;
        let (file, outcome) = part;
        for shard in &outcome.run.shards {
            let Some((_, first)) = held.insert(shard.index, (shard.clone(), file.clone())) else {
                continue;
            };
            return Err(MergeError::Twice {
                index: shard.index,
                of: shard.of,
                round: outcome.run.round,
                first,
                second: file.clone(),
            });
        }
    }
    let of = held.values().map(|(shard, _)| shard.of).max().unwrap_or_default();
    let shards: Vec<_> = held.into_values().map(|(shard, _)| shard).collect();
    let several = parts.len() > 1;
    let mut partial = missing(&shards, of);
    let mut saturated = Vec::new();
    let mut intervals: BTreeMap<u64, Interval> = BTreeMap::new();
    for (file, outcome) in &parts {
        let named = |why: &String| if several { format!("{file}: {why}") } else { why.clone() };
        // The reasons of an earlier merge are computed again above.
        let own = outcome.run.partial.iter().filter(|why| !is_of_merge(why));
        partial.extend(own.map(named));
        saturated.extend(outcome.run.saturated.iter().map(named));
        for interval in &outcome.intervals {
            interval.join(&mut intervals);
        }
        // Each machine has a clock of its own.
        if several {
            intervals.values_mut().for_each(|interval| interval.offset = None);
        }
    }
    let started = parts.iter().map(|(_, outcome)| outcome.run.started.clone()).min();
    let resources = resources(&parts);
    let Some((_, first)) = parts.into_iter().next() else { return Err(MergeError::Nothing) };
    Ok(Outcome {
        run: Run { started: started.unwrap_or_default(), shards, partial, saturated, ..first.run },
        intervals: intervals.into_values().collect(),
        resources,
    })
}

/// Whether two results are of the same run; parts of it also are of the same number of parts.
fn same_run(
    (first, one): &(String, Outcome),
    (second, other): &(String, Outcome),
    parts: bool,
) -> Result<(), MergeError> {
    let of = |run: &Run| run.shards.first().map_or(0, |shard| shard.of).to_string();
    let facts = |run: &Run| {
        let number = if parts { of(run) } else { String::new() };
        [
            ("the plan", format!("`{}`", run.plan)),
            ("the length of an interval", format!("{}ms", run.interval_ms)),
            ("the number of parts", number),
            ("the version of HTTP", if parts { run.spoken() } else { String::new() }),
            // Rounds over another transport have another URL.
            ("the URL", if parts { run.url.clone() } else { String::new() }),
        ]
    };
    let differs = facts(&one.run)
        .into_iter()
        .zip(facts(&other.run))
        .find(|((_, one), (_, other))| one != other);
    match differs {
        None => Ok(()),
        Some(((what, one), (_, other))) => Err(MergeError::Differs {
            what,
            first: first.clone(),
            one,
            second: second.clone(),
            other,
        }),
    }
}

/// The start of reasons that only a merge gives.
const MISSING: &str = "missing: part";
const CUT: &str = "cut short: part ";

fn is_of_merge(why: &str) -> bool {
    why.starts_with(MISSING) || why.starts_with(CUT)
}

fn missing(shards: &[Shard], of: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut next = 0;
    let gap = |from: u64, to: u64| match to.saturating_sub(from) {
        0 => None,
        1 => Some(format!("{MISSING} {to} of {of}")),
        _ => Some(format!("{MISSING}s {} to {to} of {of}", from + 1)),
    };
    for shard in shards {
        reasons.extend(gap(next, shard.index));
        next = shard.index.saturating_add(1);
        if !shard.complete {
            reasons.push(format!("{CUT}{next} of {of} did not come to its end"));
        }
    }
    reasons.extend(gap(next, of));
    reasons
}

/// The readings of all parts: what the generators use is added up at each moment that all of them
/// have been read at or before.
///
/// There is one server, and so its readings are those of the first part that has any. Kernels
/// cannot be distinguished: if several parts have read one, it is not known whether that
/// is one machine or several, and none is kept.
fn resources(parts: &[(String, Outcome)]) -> Resources {
    let all: Vec<&[Sample]> = parts
        .iter()
        .map(|(_, outcome)| outcome.resources.samples.as_slice())
        .filter(|samples| !samples.is_empty())
        .collect();
    if let [only] = all.as_slice() {
        return Resources { samples: only.to_vec() };
    }
    let with = |has: fn(&Sample) -> bool| -> Vec<usize> {
        (0..all.len()).filter(|part| all[*part].iter().any(has)).collect()
    };
    let server = with(|sample| sample.server.is_some()).first().copied();
    let kernels = with(|sample| sample.kernel.is_some());
    let kernel = if let [only] = kernels.as_slice() { Some(*only) } else { None };
    let mut times: Vec<u64> = all.iter().flat_map(|part| part.iter().map(|s| s.at_ms)).collect();
    times.sort_unstable();
    times.dedup();
    let sum = |samples: &[Sample], of: fn(&Sample) -> u64| {
        samples.iter().map(of).fold(0, u64::saturating_add)
    };
    let samples = times.into_iter().filter_map(|at_ms| {
        let last = |part: &&[Sample]| -> Option<Sample> {
            let until = part.partition_point(|sample| sample.at_ms <= at_ms);
            part.get(until.checked_sub(1)?).cloned()
        };
        // Before all have been read once, a sum would be too small.
        let last: Vec<Sample> = all.iter().map(last).collect::<Option<_>>()?;
        // Unknown if one of them is unknown.
        let generators: Option<Vec<Usage>> = last.iter().map(|sample| sample.generator).collect();
        let generator = generators.and_then(|all| {
            all.into_iter().reduce(|mut sum, one| {
                sum += one;
                sum
            })
        });
        Some(Sample {
            at_ms,
            open: sum(&last, |sample| sample.open),
            events: sum(&last, |sample| sample.events),
            server: server.and_then(|part| last[part].server),
            generator,
            kernel: kernel.and_then(|part| last[part].kernel),
            // Parts on one machine each see what waits for all of them; on several, none sees all.
            waiting: last.iter().filter_map(|sample| sample.waiting).max(),
        })
    });
    Resources { samples: samples.collect() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Counter, ErrorKind, LoadError, Metric, Transport};

    fn part(index: u64, of: u64) -> (String, Outcome) {
        let run = Run {
            plan: "ticks".to_owned(),
            url: "http://127.0.0.1/events".to_owned(),
            round: 1,
            started: format!("2026-01-01T00:00:0{index}Z"),
            interval_ms: 1000,
            shards: vec![Shard { index, of, complete: true }],
            ..Run::default()
        };
        let file = format!("{}.json", ["a", "b", "c"][index as usize]);
        (file, Outcome { run, ..Outcome::default() })
    }

    fn changed(index: u64, of: u64, change: impl FnOnce(&mut Run)) -> (String, Outcome) {
        let mut part = part(index, of);
        change(&mut part.1.run);
        part
    }

    #[test]
    fn parts_of_different_runs_are_refused_with_their_names() {
        for (other, what) in [
            (
                changed(1, 2, |run| run.plan = "news".to_owned()),
                "the plan is `ticks` in the first, and `news` in the second",
            ),
            (
                changed(1, 2, |run| run.interval_ms = 500),
                "the length of an interval is 1000ms in the first, and 500ms in the second",
            ),
            (
                changed(1, 2, |run| run.url = "http://b/".to_owned()),
                "the URL is http://127.0.0.1/events in the first, and http://b/ in the second",
            ),
            (part(1, 3), "the number of parts is 2 in the first, and 3 in the second"),
            // Another round, but of another plan.
            (
                changed(1, 2, |run| (run.round, run.plan) = (2, "news".to_owned())),
                "the plan is `ticks` in the first, and `news` in the second",
            ),
        ] {
            let error = merge([part(0, 2), other]).unwrap_err().to_string();
            assert_eq!(error, format!("a.json and b.json are not of the same run: {what}"));
        }
        let mut again = part(0, 2);
        again.0 = "copy.json".to_owned();
        let error = merge([part(0, 2), part(1, 2), again]).unwrap_err().to_string();
        assert_eq!(
            error,
            "a.json and copy.json both have part 1 of 2 of round 1: leave one of them out"
        );
        assert_eq!(merge([]), Err(MergeError::Nothing));
    }

    #[test]
    fn what_is_missing_is_said_until_it_is_there() {
        let cut = changed(2, 3, |run| {
            run.shards[0].complete = false;
            run.partial = vec!["interrupted".to_owned()];
            run.saturated = vec!["loop lag of 80ms".to_owned()];
        });
        let half = merge([part(0, 3), cut]).unwrap().remove(0);
        assert_eq!(
            half.run.partial,
            [
                "missing: part 2 of 3",
                "cut short: part 3 of 3 did not come to its end",
                "c.json: interrupted"
            ]
        );
        assert_eq!(half.run.saturated, ["c.json: loop lag of 80ms"]);
        assert_eq!(half.run.started, "2026-01-01T00:00:00Z");
        let whole = merge([("half.json".to_owned(), half), part(1, 3)]).unwrap().remove(0);
        let [cut, interrupted] = &whole.run.partial[..] else { panic!("{:?}", whole.run.partial) };
        assert!(cut.starts_with("cut short: part 3") && interrupted.ends_with("interrupted"));
        assert_eq!(whole.run.shards.len(), 3);
        assert!(merge([part(0, 2), part(1, 2)]).unwrap()[0].run.partial.is_empty());
        let mut last = part(2, u64::MAX);
        last.1.run.shards[0].index = u64::MAX - 2;
        let most = merge([part(0, u64::MAX), last]).unwrap().remove(0);
        assert_eq!(
            most.run.partial,
            [
                "missing: parts 2 to 18446744073709551613 of 18446744073709551615",
                "missing: part 18446744073709551615 of 18446744073709551615"
            ]
        );
    }

    #[test]
    fn rounds_and_transports_stay_apart() {
        let web = |index| {
            changed(index, 2, |run| {
                (run.transport, run.url) = (Transport::WebSocket, "ws://127.0.0.1/ws".to_owned());
            })
        };
        let second = |index| changed(index, 2, |run| run.round = 2);
        let merged = merge([part(0, 2), web(0), second(0), part(1, 2), web(1), second(1)]).unwrap();
        let seen: Vec<_> = merged.iter().map(|one| (one.run.transport, one.run.round)).collect();
        assert_eq!(seen, [(Transport::Sse, 1), (Transport::WebSocket, 1), (Transport::Sse, 2)]);
        assert!(merged.iter().all(|one| one.run.shards.len() == 2));
    }

    #[test]
    fn readings_of_generators_add_up_and_the_server_is_one() {
        let usage = |private| Some(Usage { private, ..Usage::default() });
        let at = |at_ms, open, server, generator| Sample {
            at_ms,
            open,
            server,
            generator,
            kernel: Some(crate::Kernel::default()),
            ..Sample::default()
        };
        let (mut one, mut other) = (part(0, 2), part(1, 2));
        one.1.resources.samples =
            vec![at(0, 1, usage(100), usage(1)), at(1000, 5, usage(200), usage(2))];
        other.1.resources.samples =
            vec![at(500, 10, usage(150), usage(10)), at(1500, 20, usage(250), usage(20))];
        let merged = merge([one, other]).unwrap().remove(0);
        let samples: Vec<_> = merged
            .resources
            .samples
            .iter()
            .map(|s| (s.at_ms, s.open, s.server.unwrap().private, s.generator.unwrap().private))
            .collect();
        assert_eq!(samples, [(500, 11, 100, 11), (1000, 15, 200, 12), (1500, 25, 200, 22)]);
        assert!(merged.resources.samples.iter().all(|sample| sample.kernel.is_none()));
    }

    /// Something that a generator saw: in which interval, which metric, and how long.
    fn seen() -> impl Strategy<Value = Vec<(u64, usize, u64)>> {
        proptest::collection::vec((0_u64..5, 0..Metric::ALL.len(), 0_u64..1 << 22), 0..60)
    }

    fn record(outcome: &mut Outcome, (index, metric, time): (u64, usize, u64)) {
        let at = outcome.intervals.partition_point(|interval| interval.index < index);
        if outcome.intervals.get(at).is_none_or(|interval| interval.index != index) {
            outcome.intervals.insert(at, Interval { index, ..Interval::default() });
        }
        let interval = &mut outcome.intervals[at];
        interval.open += time % 3;
        interval.histograms.entry(Metric::ALL[metric]).or_default().record(time);
        interval.counters.add(Counter::ALL[time as usize % Counter::ALL.len()], time % 7);
        if time % 5 == 0 {
            interval.counters.error(&LoadError::new(ErrorKind::Refused, "refused"));
        }
    }

    proptest! {
        // Each histogram takes a while to write and to read.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_parts_of_a_run_are_the_run(seen in seen(), order in any::<bool>()) {
            let (_, mut whole) = part(0, 1);
            let mut parts = [part(0, 3), part(1, 3), part(2, 3)];
            for (n, one) in seen.into_iter().enumerate() {
                record(&mut whole, one);
                record(&mut parts[n % 3].1, one);
            }
            if order {
                parts.reverse();
            }
            let merged = merge(parts).unwrap().remove(0);
            prop_assert_eq!(&merged.intervals, &whole.intervals);
            prop_assert_eq!(merged.total(), whole.total());
            // It is the same after writing and reading a file.
            let text = serde_json::to_string(&merged).unwrap();
            prop_assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap().intervals, whole.intervals);
        }
    }
}
