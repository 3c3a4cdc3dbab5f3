//! Results of a load: for a terminal, as Markdown, CSV, an interval log of HdrHistogram, and for
//! Prometheus.
//!
//! Every one is a pure function over [`LoadReport`]: `terminal::render`, `markdown::render`,
//! `csv::render`, `hlog::render`; and `prometheus::render` over a run that goes on.
//! What the results amount to is said once, by [`LoadReport::verdict`].

pub mod csv;
#[cfg(test)]
mod examples;
mod figures;
mod grid;
pub mod hlog;
pub mod markdown;
pub mod prometheus;
mod side;
pub mod terminal;
mod told;

use sseproof_load_model::threshold::{Judgement, Subject};
use sseproof_load_model::{Outcome, Threshold};
use sseproof_units::{counted, list};

use crate::Outcome as Verdict;
use side::sides;

/// What was measured, and what was asked of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadReport {
    /// Which program, in which version.
    pub tool: String,
    /// The results: one for each round of each transport.
    pub outcomes: Vec<Outcome>,
    /// What was asked of them, as [`judge`] answers it.
    pub judged: Vec<JudgedThreshold>,
}

/// A threshold, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedThreshold {
    /// As it was written.
    pub threshold: Threshold,
    /// Of what it was judged, such as `SSE`; empty where there is only one.
    pub of: String,
    /// What became of it.
    pub judgement: Judgement,
    /// Why there was nothing to judge by, where more is known than the judgement says.
    pub why: Option<String>,
}

impl JudgedThreshold {
    /// What was seen: `89.39ms`, or why nothing was.
    fn seen(&self) -> String {
        match (&self.judgement, &self.why) {
            (Judgement::NoData(_), Some(why)) => format!("no data: {why}"),
            (judgement, _) => judgement.to_string(),
        }
    }

    /// `SSE: `, where there are several.
    fn of(&self) -> String {
        if self.of.is_empty() { String::new() } else { format!("{}: ", self.of) }
    }

    fn is_crossed(&self) -> bool {
        matches!(self.judgement, Judgement::Crossed(_))
    }
}

/// Judges the results of each transport by each threshold, all rounds together.
pub fn judge(outcomes: &[Outcome], thresholds: &[Threshold]) -> Vec<JudgedThreshold> {
    let sides = sides(outcomes);
    let judge = |threshold: &Threshold, side: &side::Side<'_>| {
        let judgement = threshold.judge(&side.evidence(&|key| side.figures.value(key)), None);
        let why = match threshold.subject {
            Subject::Figure(figure) => side.figures.why(figure).map(ToString::to_string),
            _ => None,
        };
        let of = if sides.len() > 1 { side.name.clone() } else { String::new() };
        JudgedThreshold { threshold: threshold.clone(), of, judgement, why }
    };
    thresholds
        .iter()
        .flat_map(|threshold| sides.iter().map(move |side| judge(threshold, side)))
        .collect()
}

impl LoadReport {
    /// What the results amount to.
    ///
    /// A crossed threshold breaks a run, whatever else was the matter with it. Otherwise a run in
    /// which the generator was the bottleneck, of which a part is missing, or that has no value for a
    /// threshold proves nothing.
    pub fn verdict(&self) -> Verdict {
        let crossed = self.judged.iter().any(JudgedThreshold::is_crossed);
        let open = self.judged.iter().any(|judged| !judged.judgement.passes());
        match () {
            () if crossed => Verdict::Broken,
            () if open || self.outcomes.is_empty() || !self.doubts().is_empty() => {
                Verdict::Unproven
            }
            () => Verdict::Held,
        }
    }

    /// Why the results are not worth what they seem, each with all the reasons for it.
    fn doubts(&self) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let reasons = |of: fn(&Outcome) -> Vec<String>| {
            let mut all: Vec<String> = Vec::new();
            for reason in self.outcomes.iter().flat_map(of) {
                if !all.contains(&reason) {
                    all.push(reason);
                }
            }
            all
        };
        let saturated = reasons(|outcome| outcome.run.saturated.clone());
        let partial = reasons(|outcome| {
            let missing = outcome.run.shards.iter().filter(|shard| !shard.complete);
            let missing = missing.map(|shard| {
                format!(
                    "part {} of {} of the generator did not come to its end",
                    shard.index + 1,
                    shard.of
                )
            });
            outcome.run.partial.iter().cloned().chain(missing).collect()
        });
        if !saturated.is_empty() {
            doubts.push(Doubt {
                title: "the generator was the bottleneck",
                meaning: "Latencies have the wait inside of the generator in them, so they tell of it as much as of the server. No threshold passes on that. Give it a machine of its own or more --processes, or ask for less.",
                reasons: saturated,
            });
        }
        if !partial.is_empty() {
            doubts.push(Doubt {
                title: "a part of the run is missing",
                meaning: "What is shown is what was measured until then. No threshold passes on that.",
                reasons: partial,
            });
        }
        doubts
    }

    /// What the results amount to, as a fragment that opens a line.
    fn verdict_words(&self) -> String {
        let all = counted(self.judged.len(), "threshold");
        let none =
            self.judged.iter().filter(|judged| matches!(judged.judgement, Judgement::NoData(_)));
        let mut why: Vec<String> = Vec::new();
        match none.count() {
            0 => {}
            none => why.push(format!("there is nothing to judge {none} of {all} by")),
        }
        why.extend(self.doubts().iter().map(|doubt| doubt.title.to_owned()));
        match self.verdict() {
            Verdict::Broken => format!("failed: {}", list(&self.crossed())),
            Verdict::Unproven if self.outcomes.is_empty() => {
                "not proven: nothing was run".to_owned()
            }
            Verdict::Unproven => format!("not proven: {}", list(&why)),
            Verdict::Held if self.judged.is_empty() => {
                "measured; no threshold was given, so nothing could fail".to_owned()
            }
            Verdict::Held => format!("passed: none of {all} was crossed"),
        }
    }

    /// The thresholds that were crossed, with what was seen; only the first where they are many.
    fn crossed(&self) -> Vec<String> {
        const FIRST: usize = 3;
        let crossed = self.judged.iter().filter(|judged| judged.is_crossed());
        let mut crossed: Vec<String> = crossed
            .map(|judged| format!("{}{} ({})", judged.of(), judged.threshold, judged.seen()))
            .collect();
        if crossed.len() > FIRST + 1 {
            let more = crossed.len() - FIRST;
            crossed.truncate(FIRST);
            crossed.push(format!("{more} more"));
        }
        crossed
    }
}

/// Why results are not worth what they seem.
struct Doubt {
    title: &'static str,
    meaning: &'static str,
    reasons: Vec<String>,
}
