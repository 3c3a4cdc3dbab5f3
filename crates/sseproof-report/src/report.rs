//! The result of one run, as plain values, and the one place that says what it amounts to.
//!
//! Everything that a reader needs stands in the report itself (a rule's wording too), so that it
//! can be rendered where this version's rules are not at hand.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sseproof_rules::{Level, Status};

use crate::Judged;

/// What one run showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The tool and its version: `sseproof 0.1.0`.
    pub tool: String,
    /// The URL that was tested.
    pub target: String,
    /// What stood between: `through the proxy http://127.0.0.1:3128`, `over the unix socket /run/s`.
    pub way: Option<String>,
    /// The protocol on top of the stream that was judged, too: the id of a profile.
    pub profile: Option<String>,
    /// When the run started, RFC 3339; empty where nobody said.
    pub started: String,
    /// How long it took.
    pub duration_ms: u64,
    /// Whether a broken `should` counts as an error.
    pub strict: bool,
    /// What the rules say, in the order of the registry.
    pub findings: Vec<Judged>,
    /// What became of the user's scenarios.
    pub scenarios: Vec<ScenarioResult>,
    /// What was measured on the way.
    pub measures: Measures,
    /// The list of known failures, entry by entry.
    pub known: Vec<KnownResult>,
    /// Why the run ended before all was asked (`interrupted`, `no stream was seen`): a fragment.
    pub partial: Option<String>,
    /// The file that the recording was written to.
    pub recording: Option<String>,
}

/// What became of one scenario of the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioResult {
    /// Its name: the sentence behind `scenario:`.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// How many steps it has.
    pub steps: usize,
    /// How many of them were taken.
    pub steps_taken: usize,
    /// How long it took.
    pub duration_ms: u64,
    /// What did not come as expected; empty where all did.
    pub failures: Vec<ScenarioFailure>,
    /// Why it was not played, where it was not: a fragment.
    pub skipped: Option<String>,
}

/// One expectation of a scenario that was not met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFailure {
    /// The file of the step.
    pub file: String,
    /// Its line, from 1; 0 where it is unknown.
    pub line: usize,
    /// Its column, from 1; 0 where it is unknown.
    pub column: usize,
    /// The step in words: `expect event from second`.
    pub step: String,
    /// What was expected and what came. May have several lines.
    pub message: String,
    /// The lines of the file around the step.
    pub shown: Vec<ShownLine>,
}

/// A line of a file, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownLine {
    /// Its number, from 1.
    pub number: usize,
    /// What it says, without the line end.
    pub text: String,
}

/// What was measured in the run; nothing here is judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// From the request to the complete head.
    pub time_to_head_ms: Option<Spread>,
    /// From the request to the end of the first event.
    pub time_to_first_event_ms: Option<Spread>,
    /// From one event of a stream to the next.
    pub inter_event_gap_ms: Option<Spread>,
    /// How many exchanges there were.
    pub exchanges: Option<u64>,
    /// How many events came.
    pub events: Option<u64>,
    /// How many bytes the bodies had.
    pub bytes: Option<u64>,
}

/// The least, the middle and the greatest of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The one in the middle; of an even number, the lower of the two.
    pub median: f64,
    /// The greatest.
    pub max: f64,
}

/// One entry of the list of known failures, and what it covers in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownResult {
    /// The pattern for rule ids, as the user wrote it.
    pub glob: String,
    /// Why these failures are accepted, in the user's words.
    pub reason: String,
    /// The rules that fail and that the pattern matches.
    pub rules: Vec<String>,
    /// Whether what it excuses holds by now: an error, for such an entry would hide the next fault.
    pub stale: bool,
}

/// What a finding amounts to in its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The requirement holds.
    Held,
    /// It does not, and that is an error.
    Broken,
    /// It does not, and that is no error: advice, or a `should` without `--strict`.
    Warned,
    /// It does not, and the list of known failures says so.
    Known,
    /// It was asked, and the evidence is too thin to say.
    Inconclusive,
    /// It could not be asked.
    Skipped,
}

/// What the whole run amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All that is an error when broken held.
    Held,
    /// Something did not hold.
    Broken,
    /// Nothing is broken, but the run ended before all was asked.
    Unproven,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rules that hold.
    pub held: usize,
    /// Rules that are broken, known failures aside: of level must.
    pub must: usize,
    /// Of level should.
    pub should: usize,
    /// Of level advice.
    pub advice: usize,
    /// Rules that fail and are known to.
    pub known: usize,
    /// Rules that could not be decided.
    pub inconclusive: usize,
    /// Rules that could not be asked.
    pub skipped: usize,
    /// Entries in the list of known failures whose failures are gone.
    pub stale_known: usize,
    /// Scenarios that held.
    pub scenarios_held: usize,
    /// Scenarios that failed.
    pub scenarios_failed: usize,
    /// Scenarios that were not played.
    pub scenarios_skipped: usize,
}

impl Report {
    /// What the finding amounts to here.
    pub fn standing(&self, finding: &Judged) -> Standing {
        match finding.status {
            Status::Pass => Standing::Held,
            Status::Inconclusive => Standing::Inconclusive,
            Status::Skip => Standing::Skipped,
            Status::Fail if self.known_entry(&finding.rule).is_some() => Standing::Known,
            Status::Fail => match finding.level {
                Level::Must => Standing::Broken,
                Level::Should if self.strict => Standing::Broken,
                Level::Should | Level::Advice => Standing::Warned,
            },
        }
    }

    /// What the run amounts to.
    ///
    /// A run that ended early is not held: what was not asked is not proven.
    pub fn outcome(&self) -> Outcome {
        let broken = self.findings.iter().any(|finding| self.standing(finding) == Standing::Broken)
            || self.scenarios.iter().any(|scenario| !scenario.failures.is_empty())
            || self.known.iter().any(|entry| entry.stale);
        match (broken, &self.partial) {
            (true, _) => Outcome::Broken,
            (false, Some(_)) => Outcome::Unproven,
            (false, None) => Outcome::Held,
        }
    }

    /// How many there are of what.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for finding in &self.findings {
            *match (self.standing(finding), finding.level) {
                (Standing::Held, _) => &mut counts.held,
                (Standing::Known, _) => &mut counts.known,
                (Standing::Inconclusive, _) => &mut counts.inconclusive,
                (Standing::Skipped, _) => &mut counts.skipped,
                (Standing::Broken | Standing::Warned, Level::Must) => &mut counts.must,
                (Standing::Broken | Standing::Warned, Level::Should) => &mut counts.should,
                (Standing::Broken | Standing::Warned, Level::Advice) => &mut counts.advice,
            } += 1;
        }
        for scenario in &self.scenarios {
            *match (scenario.failures.is_empty(), &scenario.skipped) {
                (false, _) => &mut counts.scenarios_failed,
                (true, Some(_)) => &mut counts.scenarios_skipped,
                (true, None) => &mut counts.scenarios_held,
            } += 1;
        }
        counts.stale_known = self.known.iter().filter(|entry| entry.stale).count();
        counts
    }

    /// The findings that amount to this, in their order.
    pub fn standing_at(&self, standing: Standing) -> impl Iterator<Item = &Judged> {
        self.findings.iter().filter(move |finding| self.standing(finding) == standing)
    }

    /// The findings that fail without being known to: must before should before advice.
    pub fn failed(&self) -> Vec<&Judged> {
        let mut failed: Vec<_> = self
            .findings
            .iter()
            .filter(|finding| matches!(self.standing(finding), Standing::Broken | Standing::Warned))
            .collect();
        failed.sort_by_key(|finding| finding.level);
        failed
    }

    /// The entry in the list of known failures that covers the rule's failure.
    pub fn known_entry(&self, rule: &str) -> Option<&KnownResult> {
        self.known.iter().find(|entry| entry.rules.iter().any(|covered| covered == rule))
    }
}

impl KnownResult {
    /// What the entry covers among these findings; `matches` says whether its pattern matches an id.
    ///
    /// It is stale when a rule that it matches holds and none that it matches fails.
    /// Where nothing that it matches was decided (not chosen, skipped), nothing is said against it.
    pub fn of(
        glob: impl Into<String>,
        reason: impl Into<String>,
        findings: &[Judged],
        matches: impl Fn(&str) -> bool,
    ) -> Self {
        let with = |status| {
            findings
                .iter()
                .filter(move |finding| finding.status == status)
                .filter(|finding| matches(&finding.rule))
                .map(|finding| finding.rule.clone())
                .collect::<Vec<_>>()
        };
        let rules = with(Status::Fail);
        let stale = rules.is_empty() && !with(Status::Pass).is_empty();
        Self { glob: glob.into(), reason: reason.into(), rules, stale }
    }
}

impl Spread {
    /// Of these values, in any order, without those that are no numbers; `None` where there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        Some(Self { min, median: values[(values.len() - 1) / 2], max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{broken, fail, pass, skip};

    #[test]
    fn only_what_binds_breaks_the_run() {
        for (level, strict, outcome) in [
            (Level::Must, false, Outcome::Broken),
            (Level::Should, false, Outcome::Held),
            (Level::Should, true, Outcome::Broken),
            (Level::Advice, true, Outcome::Held),
        ] {
            let report =
                Report { strict, findings: vec![fail("a/b", level, &[])], ..Report::default() };
            assert_eq!(report.outcome(), outcome, "{level:?} {strict}");
        }
    }

    #[test]
    fn a_known_failure_is_no_failure_and_a_stale_entry_is_one() {
        let findings = vec![fail("a/b", Level::Must, &[]), pass("a/c", "x"), skip("b/d", "y")];
        let entry =
            |prefix: &str| KnownResult::of(prefix, "why", &findings, |id| id.starts_with(prefix));
        let with = |known| Report { findings: findings.clone(), known, ..Report::default() };
        assert_eq!(with(vec![]).outcome(), Outcome::Broken);
        assert_eq!(with(vec![entry("a/")]).outcome(), Outcome::Held);
        assert_eq!(with(vec![entry("a/")]).counts().known, 1);
        assert_eq!(with(vec![entry("a/"), entry("a/c")]).outcome(), Outcome::Broken);
        assert!(!entry("b/").stale, "what was skipped says nothing");
    }

    #[test]
    fn a_failed_scenario_breaks_the_run_and_an_early_end_leaves_it_unproven() {
        let failed = ScenarioResult {
            failures: vec![ScenarioFailure::default()],
            ..ScenarioResult::default()
        };
        let report = Report { scenarios: vec![failed], ..Report::default() };
        assert_eq!(report.outcome(), Outcome::Broken);
        let early = Report { partial: Some("interrupted".to_owned()), ..Report::default() };
        assert_eq!(early.outcome(), Outcome::Unproven);
        assert_eq!(Report { partial: early.partial, ..report }.outcome(), Outcome::Broken);
    }

    #[test]
    fn failures_come_by_level() {
        let report = broken();
        let levels: Vec<_> = report.failed().iter().map(|finding| finding.level).collect();
        assert!(levels.is_sorted() && levels.len() > 3, "{levels:?}");
    }

    #[test]
    fn a_spread_has_a_value_in_its_middle() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, f64::NAN, 1.0, 2.0, 9.0]);
        assert_eq!(spread, Some(Spread { min: 1.0, median: 2.0, max: 9.0 }));
    }
}
