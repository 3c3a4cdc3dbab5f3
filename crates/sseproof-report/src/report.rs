//! The result of one run, as plain values, and the one place that decides its outcome.
//!
//! The report has everything that its reader needs (also the text of rules), so that it can be
//! rendered without this version's rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sseproof_rules::{Level, Status};

use crate::Judged;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// As in `sseproof 0.1.0`.
    pub tool: String,
    /// Whether a server or a client was checked.
    #[serde(default)]
    pub subject: Subject,
    /// The URL of the server; the name and version of the client.
    pub target: String,
    /// Whether it is the embedded reference, so that the result is about nothing of the user.
    #[serde(default)]
    pub embedded: bool,
    /// As in `through the proxy http://127.0.0.1:3128`, `over the unix socket /run/s`.
    pub way: Option<String>,
    /// The software that answered, as far as it shows itself: `Express`, `nginx`.
    #[serde(default)]
    pub software: Vec<String>,
    /// The id of the profile that was also judged.
    pub profile: Option<String>,
    /// RFC 3339; empty if it is unknown.
    pub started: String,
    pub duration_ms: u64,
    /// Whether a broken `should` counts as an error.
    pub strict: bool,
    /// In the order of the registry.
    pub findings: Vec<Judged>,
    /// The user's scenarios.
    pub scenarios: Vec<ScenarioResult>,
    /// Times and counts of the run, which are not judged.
    pub measures: Measures,
    /// The list of known failures, entry by entry.
    pub known: Vec<KnownResult>,
    /// Why the run ended early (`interrupted`, `no stream was seen`): a fragment.
    pub partial: Option<String>,
    /// Why a complete run proves nothing (`no event could be read: …`): a fragment.
    pub unproven: Option<String>,
    /// The file of the recording.
    pub recording: Option<String>,
}

/// The thing that was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    #[default]
    Server,
    Client,
}

/// The result of one scenario of the user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioResult {
    /// The text of its `scenario:` key.
    pub name: String,
    pub file: String,
    pub steps: usize,
    pub steps_taken: usize,
    pub duration_ms: u64,
    /// Empty if it passed.
    pub failures: Vec<ScenarioFailure>,
    /// Why it was skipped, if it was: a fragment.
    pub skipped: Option<String>,
}

/// An expectation that was not met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFailure {
    /// The file of the step.
    pub file: String,
    /// From 1; 0 if it is unknown.
    pub line: usize,
    /// From 1; 0 if it is unknown.
    pub column: usize,
    /// As in `expect event from second`.
    pub step: String,
    /// The expected and the actual value. May have several lines.
    pub message: String,
    /// The lines of the file around the step.
    pub shown: Vec<ShownLine>,
}

/// A line of a file, for display.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShownLine {
    /// From 1.
    pub number: usize,
    /// Without the line end.
    pub text: String,
}

/// Times and counts of a run, which are not judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// From the request to the end of the response headers.
    pub time_to_head_ms: Option<Spread>,
    /// From the request to the end of the first event.
    pub time_to_first_event_ms: Option<Spread>,
    /// From one event of a stream to the next.
    pub inter_event_gap_ms: Option<Spread>,
    pub exchanges: Option<u64>,
    pub events: Option<u64>,
    /// Of all bodies.
    pub bytes: Option<u64>,
}

/// Minimum, median and maximum of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    pub min: f64,
    /// Of an even number of values, the lower middle one.
    pub median: f64,
    pub max: f64,
}

/// One entry of the list of known failures, and the rules that it covers in this run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownResult {
    /// The pattern for rule ids, as the user wrote it.
    pub glob: String,
    /// Why these failures are accepted, in the user's words.
    pub reason: String,
    /// The rules that fail and that the pattern matches.
    pub rules: Vec<String>,
    /// Whether its rules pass now: that is an error, because the entry would hide the next failure.
    pub stale: bool,
    /// The last day on which the failures are accepted, as in `2027-01-31`.
    #[serde(default)]
    pub until: Option<String>,
    /// Whether that day is over, so that the failures count.
    #[serde(default)]
    pub is_over: bool,
}

/// The result of a finding in its report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Held,
    /// It is broken, and that is an error.
    Broken,
    /// It is broken, and that is not an error: advice, or a `should` without `--strict`.
    Warned,
    /// It is broken, and the list of known failures has it.
    Known,
    /// It was asked, and the evidence does not suffice.
    Inconclusive,
    /// It could not be asked.
    Skipped,
}

/// The outcome of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing that is an error is broken.
    Held,
    /// Something is broken.
    Broken,
    /// Nothing is broken, but the run ended early, or read no event.
    Unproven,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rules that passed.
    pub held: usize,
    /// Broken rules of level must, known failures excluded.
    pub must: usize,
    /// Of level should.
    pub should: usize,
    /// Of level advice.
    pub advice: usize,
    /// Broken rules in the list of known failures.
    pub known: usize,
    /// Inconclusive rules.
    pub inconclusive: usize,
    /// Skipped rules.
    pub skipped: usize,
    /// Known failures whose rules pass now.
    pub stale_known: usize,
    /// Scenarios that passed.
    pub scenarios_held: usize,
    /// Scenarios that failed.
    pub scenarios_failed: usize,
    /// Scenarios that were skipped.
    pub scenarios_skipped: usize,
}

impl Report {
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

    /// The outcome of the run.
    ///
    /// A run that ended early does not pass, since rules were not asked.
    pub fn outcome(&self) -> Outcome {
        let broken = self.findings.iter().any(|finding| self.standing(finding) == Standing::Broken)
            || self.scenarios.iter().any(|scenario| !scenario.failures.is_empty())
            || self.known.iter().any(|entry| entry.stale);
        match (broken, self.partial.is_some() || self.unproven.is_some()) {
            (true, _) => Outcome::Broken,
            (false, true) => Outcome::Unproven,
            (false, false) => Outcome::Held,
        }
    }

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

    pub fn standing_at(&self, standing: Standing) -> impl Iterator<Item = &Judged> {
        self.findings.iter().filter(move |finding| self.standing(finding) == standing)
    }

    /// Failures that are not known: must before should before advice, of each level first what is a
    /// matter of security, and then what hurts most users.
    pub fn failed(&self) -> Vec<&Judged> {
        let mut failed: Vec<_> = self.unaccepted().collect();
        failed.sort_by_key(|finding| (finding.level, finding.security.is_none(), finding.harm()));
        failed
    }

    /// Failures that are not known, in the order of the findings.
    pub fn unaccepted(&self) -> impl Iterator<Item = &Judged> {
        let failed = [Standing::Broken, Standing::Warned];
        self.findings.iter().filter(move |finding| failed.contains(&self.standing(finding)))
    }

    /// The entries whose last day is over and whose rules are broken, and a fragment that says so.
    pub fn over(&self) -> impl Iterator<Item = (&KnownResult, String)> {
        self.known.iter().filter(|entry| entry.is_over).filter_map(|entry| {
            let broken = self.standing_at(Standing::Broken).map(|finding| &finding.rule);
            let broken: Vec<_> =
                broken.filter(|rule| entry.rules.contains(rule)).map(String::as_str).collect();
            let until = entry.until.as_deref().filter(|_| !broken.is_empty())?;
            Some((entry, format!("accepted until {until}, which is over: {}", broken.join(", "))))
        })
    }

    /// The entry in the list of known failures that covers the rule's failure.
    pub fn known_entry(&self, rule: &str) -> Option<&KnownResult> {
        let mut valid = self.known.iter().filter(|entry| !entry.is_over);
        valid.find(|entry| entry.rules.iter().any(|covered| covered == rule))
    }
}

impl KnownResult {
    /// Why the failures are accepted, and until when: `legacy tenant; until 2027-01-31`.
    pub fn acceptance(&self) -> String {
        let until = self.until.as_ref().map(|day| format!("until {day}"));
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        reason.into_iter().chain(until).collect::<Vec<_>>().join("; ")
    }

    /// The same entry, accepted until this day.
    #[must_use]
    pub fn until(self, day: impl Into<String>, is_over: bool) -> Self {
        Self { until: Some(day.into()), is_over, ..self }
    }

    /// The entry for these findings; `matches` says whether its pattern matches an id.
    ///
    /// It is stale if a rule that it matches passes and none that it matches fails. If all rules
    /// that it matches were skipped or not chosen, it is not stale.
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
        Self { glob: glob.into(), reason: reason.into(), rules, stale, until: None, is_over: false }
    }
}

impl Spread {
    /// Of these values, in any order, ignoring NaN; `None` if there are none.
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
    use crate::examples::{fail, pass, skip};

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
        assert!(!entry("b/").stale, "skipped rules do not count");
        let until = |is_over| with(vec![entry("a/").until("2027-01-31", is_over)]).outcome();
        assert_eq!([until(false), until(true)], [Outcome::Held, Outcome::Broken]);
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
        let unread = Report { unproven: Some("no event".to_owned()), ..Report::default() };
        assert_eq!(unread.outcome(), Outcome::Unproven);
    }

    #[test]
    fn failures_come_by_level_and_harm_and_what_is_a_matter_of_security_first() {
        let secure = |finding| Judged { security: Some("CWE-93".to_owned()), ..finding };
        let findings = vec![
            fail("retry/b", Level::Advice, &[]),
            fail("cors/a", Level::Must, &[]),
            fail("resume/c", Level::Should, &[]),
            fail("stream/d", Level::Must, &[]),
            fail("mcp/f", Level::Must, &[]),
            secure(fail("auth/e", Level::Must, &[])),
        ];
        let report = Report { findings, ..Report::default() };
        let rules: Vec<_> = report.failed().iter().map(|finding| finding.rule.clone()).collect();
        assert_eq!(rules, ["auth/e", "mcp/f", "stream/d", "cors/a", "resume/c", "retry/b"]);
    }

    #[test]
    fn a_spread_has_a_value_in_its_middle() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, f64::NAN, 1.0, 2.0, 9.0]);
        assert_eq!(spread, Some(Spread { min: 1.0, median: 2.0, max: 9.0 }));
    }
}
