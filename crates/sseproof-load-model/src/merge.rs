//! Merges the results of several generators: a merge is the sum of intervals, so it equals the
//! result of one generator, and a missing part makes it partial. Readings of kernels are dropped if
//! several parts have them, since they may be from the same machine.

mod readings;

use std::collections::BTreeMap;

use self::readings::Readings;
use crate::{Interval, Outcome, Resources, Run, Shard};

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

/// Merges the parts of a run, each with the name of its file: see [`Merger`].
///
/// # Errors
/// [`MergeError`], with the names of the files.
pub fn merge(
    parts: impl IntoIterator<Item = (String, Outcome)>,
) -> Result<Vec<Outcome>, MergeError> {
    let mut merger = Merger::default();
    for (file, outcome) in parts {
        merger.add(&file, outcome)?;
    }
    merger.finish()
}

/// Merges the parts of a run as they are read: it keeps sums, so its memory does not grow with the
/// number of parts, but for their names. Rounds and transports stay apart, in the order in which
/// they are first met.
///
/// If parts are missing or incomplete, the result says so in [`Run::partial`]: it
/// is not the whole run, and does not pass.
#[derive(Debug, Default)]
pub struct Merger {
    runs: Vec<Joined>,
}

impl Merger {
    /// Adds a part, from the file of this name.
    ///
    /// # Errors
    /// [`MergeError`], if the part is of another run, or is there already.
    pub fn add(&mut self, file: &str, outcome: Outcome) -> Result<(), MergeError> {
        let part = (file, &outcome.run);
        let key = |run: &Run| (run.transport, run.round);
        let at = match self.runs.iter().position(|run| key(&run.run) == key(&outcome.run)) {
            Some(at) => at,
            None => {
                // Rounds of different plans do not belong into one result either.
                if let Some(first) = self.runs.first() {
                    same_run((&first.file, &first.run), part, false)?;
                }
                self.runs.push(Joined::new(file, &outcome.run));
                self.runs.len() - 1
            }
        };
        self.runs[at].add(file, outcome)
    }

    /// # Errors
    /// [`MergeError::Nothing`], if there was no part.
    pub fn finish(self) -> Result<Vec<Outcome>, MergeError> {
        if self.runs.is_empty() {
            return Err(MergeError::Nothing);
        }
        Ok(self.runs.into_iter().map(Joined::finish).collect())
    }
}

/// The sum of the parts of one round over one transport.
#[derive(Debug)]
struct Joined {
    /// The name of the first part, and what it says of the run.
    file: String,
    run: Run,
    parts: usize,
    held: BTreeMap<u64, (Shard, String)>,
    /// With the names of their files.
    partial: Vec<(String, String)>,
    saturated: Vec<(String, String)>,
    intervals: BTreeMap<u64, Interval>,
    readings: Readings,
}

impl Joined {
    fn new(file: &str, run: &Run) -> Self {
        Self {
            file: file.to_owned(),
            run: run.clone(),
            parts: 0,
            held: BTreeMap::new(),
            partial: Vec::new(),
            saturated: Vec::new(),
            intervals: BTreeMap::new(),
            readings: Readings::default(),
        }
    }

    fn add(&mut self, file: &str, outcome: Outcome) -> Result<(), MergeError> {
        let Outcome { run, intervals, resources } = outcome;
        same_run((&self.file, &self.run), (file, &run), true)?;
        for shard in run.shards {
            let (index, of) = (shard.index, shard.of);
            if let Some((_, first)) = self.held.insert(index, (shard, file.to_owned())) {
                let (round, second) = (run.round, file.to_owned());
                return Err(MergeError::Twice { index, of, round, first, second });
            }
        }
        self.parts += 1;
        self.run.started = self.run.started.clone().min(run.started);
        // The reasons of an earlier merge are computed again at the end.
        let own = |why: &String| !is_of_merge(why);
        let named = |why: String| (file.to_owned(), why);
        self.partial.extend(run.partial.into_iter().filter(own).map(named));
        self.saturated.extend(run.saturated.into_iter().filter(own).map(named));
        for interval in &intervals {
            interval.join(&mut self.intervals);
        }
        self.readings.add(resources.samples);
        Ok(())
    }

    fn finish(self) -> Outcome {
        let of = self.held.values().map(|(shard, _)| shard.of).max().unwrap_or_default();
        let shards: Vec<_> = self.held.into_values().map(|(shard, _)| shard).collect();
        let several = self.parts > 1;
        let named = |(file, why)| if several { format!("{file}: {why}") } else { why };
        let mut partial = missing(&shards, of);
        partial.extend(self.partial.into_iter().map(named));
        let mut saturated: Vec<_> = clocks(&shards).into_iter().collect();
        saturated.extend(self.saturated.into_iter().map(named));
        let mut intervals: Vec<_> = self.intervals.into_values().collect();
        // Each machine has a clock of its own.
        if several {
            intervals.iter_mut().for_each(|interval| interval.offset = None);
        }
        let resources = Resources { samples: self.readings.samples() };
        Outcome { run: Run { shards, partial, saturated, ..self.run }, intervals, resources }
    }
}

/// Whether two results are of the same run; parts of it also are of the same number of parts.
fn same_run(
    (first, one): (&str, &Run),
    (second, other): (&str, &Run),
    parts: bool,
) -> Result<(), MergeError> {
    let of = |run: &Run| run.shards.first().map_or(0, |shard| shard.of).to_string();
    let facts = |run: &Run| {
        let number = if parts { of(run) } else { String::new() };
        [
            ("the plan", format!("`{}`", run.plan)),
            ("the fingerprint of the plan", run.fingerprint.clone()),
            ("the length of an interval", format!("{}ms", run.interval_ms)),
            ("the number of parts", number),
            ("the version of HTTP", if parts { run.spoken() } else { String::new() }),
            // Rounds over another transport have another URL.
            ("the URL", if parts { run.url.clone() } else { String::new() }),
        ]
    };
    let differs = facts(one)
        .into_iter()
        .zip(facts(other))
        // Results of earlier versions have no fingerprint.
        .find(|((_, one), (_, other))| one != other && !one.is_empty() && !other.is_empty());
    match differs {
        None => Ok(()),
        Some(((what, one), (_, other))) => Err(MergeError::Differs {
            what,
            first: first.to_owned(),
            one,
            second: second.to_owned(),
            other,
        }),
    }
}

/// The start of reasons that only a merge gives.
const MISSING: &str = "missing: part";
const CUT: &str = "cut short: part ";
const CLOCKS: &str = "clocks: ";

fn is_of_merge(why: &str) -> bool {
    [MISSING, CUT, CLOCKS].iter().any(|start| why.starts_with(start))
}

/// Why latencies mean little, if the clocks of two parts are known to differ: the one that published
/// an event and the one that received it may be these two.
fn clocks(shards: &[Shard]) -> Option<String> {
    let known = || shards.iter().filter_map(|shard| Some((shard, shard.clock?)));
    let (fast, least) =
        known().map(|(shard, clock)| (shard, clock.least)).max_by_key(|(_, least)| *least)?;
    let (slow, most) =
        known().map(|(shard, clock)| (shard, clock.most)).min_by_key(|(_, most)| *most)?;
    let apart = least.checked_sub(most).filter(|apart| *apart > 0)?;
    Some(format!(
        "{CLOCKS}those of parts {} and {} differ by at least {:.1} s, and latencies and the start with them",
        fast.index + 1,
        slow.index + 1,
        apart as f64 / 1e9
    ))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Counter, ErrorKind, LoadError, Metric, Offset, Sample, Transport, Usage};

    fn part(index: u64, of: u64) -> (String, Outcome) {
        let run = Run {
            plan: "ticks".to_owned(),
            url: "http://127.0.0.1/events".to_owned(),
            round: 1,
            started: format!("2026-01-01T00:00:0{index}Z"),
            interval_ms: 1000,
            shards: vec![Shard { index, of, complete: true, clock: None }],
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
    fn clocks_that_are_known_to_differ_are_said() {
        let at = |index, least, most| {
            changed(index, 3, |run| run.shards[0].clock = Some(Offset { least, most }))
        };
        const SECOND: i64 = 1_000_000_000;
        let near = [at(0, -SECOND, 0), at(1, -SECOND / 2, SECOND / 2), part(2, 3)];
        assert!(merge(near.clone()).unwrap()[0].run.saturated.is_empty());
        let [one, two, _] = near;
        let merged = merge([one, two, at(2, SECOND * 2, SECOND * 3)]).unwrap().remove(0);
        let said = "clocks: those of parts 3 and 1 differ by at least 2.0 s, and latencies and the start with them";
        assert_eq!(merged.run.saturated, [said]);
        assert_eq!(merge([("all.json".to_owned(), merged.clone())]).unwrap(), [merged]);
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
