//! Results of a load: for a terminal, as Markdown, CSV, an interval log of HdrHistogram, and for
//! Prometheus.
//!
//! Every report is a pure function over [`LoadReport`]: `terminal::render`, `markdown::render`,
//! `csv::render`, `hlog::render`; `diff::render` over two of them; and `prometheus::render` over a running load.
//! [`LoadReport::verdict`] alone decides the verdict.

pub mod csv;
pub mod diff;
#[cfg(test)]
mod examples;
pub mod facts;
pub mod figures;
pub mod grid;
pub mod hlog;
pub mod markdown;
pub mod prometheus;
pub mod side;
pub mod sides_compared;
pub mod summary;
pub mod terminal;

use std::borrow::Cow;

use sseproof_load_model::threshold::{Judgement, Subject};
use sseproof_load_model::{Counter, Outcome, Share, Threshold};
use sseproof_units::{self as units, counted, list};

use crate::Outcome as Verdict;
use side::sides;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadReport {
    pub tool: String,
    pub outcomes: Vec<Outcome>,
    pub judged: Vec<JudgedThreshold>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct JudgedThreshold {
    pub threshold: Threshold,
    /// The side that it was judged on, such as `SSE`; empty if there is only one.
    pub of: String,
    pub judgement: Judgement,
    /// Why there is no value, if more is known than the judgement says.
    pub why: Option<String>,
}

impl JudgedThreshold {
    /// The measured value, `89.39ms`, or why there is none.
    pub fn seen(&self) -> String {
        match (&self.judgement, &self.why) {
            (Judgement::NoData(_), Some(why)) => format!("no data: {why}"),
            (judgement, _) => judgement.to_string(),
        }
    }

    /// `SSE: `, if there are several sides.
    pub fn of(&self) -> String {
        if self.of.is_empty() { String::new() } else { format!("{}: ", self.of) }
    }

    pub fn is_crossed(&self) -> bool {
        matches!(self.judgement, Judgement::Crossed(_))
    }
}

pub fn judge(outcomes: &[Outcome], thresholds: &[Threshold]) -> Vec<JudgedThreshold> {
    let sides = sides(outcomes);
    let judge = |threshold: &Threshold, side: &side::Side<'_>| {
        let judgement = side.with_evidence(|evidence| threshold.judge(evidence, None));
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
    /// The verdict on the results.
    ///
    /// A crossed threshold fails a run in any case. Otherwise the run is inconclusive if the
    /// generator was the bottleneck, a part is missing, streams never opened, or a threshold has no
    /// value.
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

    pub fn doubts(&self) -> Vec<Doubt> {
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
                let part = shard.index.saturating_add(1);
                format!("part {part} of {} of the generator did not finish", shard.of)
            });
            outcome.run.partial.iter().cloned().chain(missing).collect()
        });
        let (never, asked, unopened) = self.unopened();
        if never > 0 {
            let title = format!(
                "{} of {} never got a stream",
                units::count(never),
                counted(asked, "client")
            );
            doubts.push(Doubt {
                title: title.into(),
                meaning: "The results are those of the streams that opened. If clients may fail here, say how many: --fail-if 'streams.share < 40%'.",
                reasons: unopened,
            });
        }
        if !saturated.is_empty() {
            doubts.push(Doubt {
                title: "the generator was the bottleneck".into(),
                meaning: "Latencies include delays inside the generator, so they measure it as well as the server, and no threshold can pass. Use a separate machine or more --processes, or a smaller load.",
                reasons: saturated,
            });
        }
        if !partial.is_empty() {
            doubts.push(Doubt {
                title: "a part of the run is missing".into(),
                meaning: "The report has the results until then, and no threshold can pass.",
                reasons: partial,
            });
        }
        doubts
    }

    /// How many clients never got a stream, and how they fared, unless a threshold decides about it:
    /// one on the streams, on these clients, or, if they had an error, on errors.
    fn unopened(&self) -> (u64, u64, Vec<String>) {
        let decides = |subject: Subject, counter: Counter| match subject {
            Subject::Share(Share::Streams) | Subject::Count(Counter::Streams) => true,
            Subject::Share(Share::Errors) | Subject::Count(Counter::Errors) => {
                counter != Counter::Unanswered
            }
            subject => subject == Subject::Count(counter),
        };
        let sides = sides(&self.outcomes);
        let (mut never, mut asked_of_all, mut all) = (0_u64, 0_u64, Vec::new());
        for side in &sides {
            let of = if sides.len() > 1 { format!("{}: ", side.name) } else { String::new() };
            let asked = side.total.counters.count(Counter::Arrivals);
            asked_of_all = asked_of_all.saturating_add(asked);
            for (counter, count, how) in facts::unopened(side) {
                if !self.judged.iter().any(|judged| decides(judged.threshold.subject, counter)) {
                    never = never.saturating_add(count);
                    let [count, asked] = [count, asked].map(units::count);
                    all.push(format!("{of}{count} of {asked} {how}"));
                }
            }
        }
        (never, asked_of_all, all)
    }

    /// The verdict in words, as a fragment that opens a line, and whether it is on no server of the
    /// reader.
    pub fn verdict_words(&self) -> String {
        // Only the embedded server has a URL without an origin.
        let mut outcomes = self.outcomes.iter();
        let is_embedded =
            !self.outcomes.is_empty() && outcomes.all(|one| one.run.url.starts_with('/'));
        let of = if is_embedded { " (the embedded server, not yours)" } else { "" };
        self.bare_verdict_words() + of
    }

    fn bare_verdict_words(&self) -> String {
        let all = counted(self.judged.len(), "threshold");
        let none =
            self.judged.iter().filter(|judged| matches!(judged.judgement, Judgement::NoData(_)));
        let mut why: Vec<String> = Vec::new();
        match none.count() {
            0 => {}
            none => why.push(format!("no data for {none} of {all}")),
        }
        why.extend(self.doubts().iter().map(|doubt| doubt.title.to_string()));
        match self.verdict() {
            Verdict::Broken => format!("failed: {}", list(&self.crossed())),
            Verdict::Unproven if self.outcomes.is_empty() => {
                "inconclusive: nothing was run".to_owned()
            }
            Verdict::Unproven => format!("inconclusive: {}", list(&why)),
            Verdict::Held if self.judged.is_empty() => {
                "measured; no threshold was given (--fail-if)".to_owned()
            }
            Verdict::Held => format!("passed: none of {all} crossed"),
        }
    }

    /// The thresholds that were crossed, with their values; only the first ones if there are many.
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

/// A doubt about the results.
pub struct Doubt {
    pub title: Cow<'static, str>,
    pub meaning: &'static str,
    pub reasons: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::examples::{good, hung, judged};
    use super::*;

    #[test]
    fn streams_that_never_opened_fail_a_run_unless_a_threshold_decides() {
        assert_eq!(good().verdict(), Verdict::Held);
        for (thresholds, verdict) in [
            (&["lost > 0"][..], Verdict::Unproven),
            (&["errors > 500"], Verdict::Unproven),
            (&["unanswered > 5000"], Verdict::Unproven),
            (&["unanswered > 5000", "errors > 500"], Verdict::Held),
            (&["unanswered > 5000", "rejected > 500"], Verdict::Held),
            (&["streams.share < 80%"], Verdict::Held),
            (&["streams.share < 100%"], Verdict::Broken),
        ] {
            let report = judged(hung().outcomes, thresholds);
            assert_eq!(report.verdict(), verdict, "{thresholds:?}");
        }
    }
}
