//! The failures of a run as CI systems show them: each has a level, and a line of a file.
//!
//! A check of a server or a client and one of a parser become the same [`Run`], from which
//! [`sarif`], [`gitlab`] and [`github`] are rendered. A failure is seen on the wire, and a CI system
//! shows failures in files: so each is shown at the line that asked for it, which [`Places`] has.

pub mod github;
pub mod gitlab;
pub mod sarif;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use sseproof_rules::{Level, Recipe, Status};

use crate::summary::{rules, verdict};
use crate::terminal::{Detail, Options, failure_text, scenario_text};
use crate::{Judged, KnownResult, Outcome, Report, ScenarioFailure, Standing};

const TEXT: Options = Options { width: 88, rows: None, colour: false, detail: Detail::Normal };
/// The length of a fingerprint, in bytes.
const FINGERPRINT: usize = 16;

/// A run, whatever was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The command, as in `check`: one job may have runs of several.
    pub command: &'static str,
    /// As in `sseproof 0.1.0`.
    pub tool: String,
    /// The URL of the server, or the name of the client or parser.
    pub target: String,
    pub outcome: Outcome,
    /// As in `broken: 1 must (stream/utf8)`.
    pub verdict: String,
    /// As in `38 passed · 1 must broken`.
    pub counts: String,
    /// RFC 3339; empty if it is unknown.
    pub started: String,
    /// Why the results are not complete.
    pub early: Option<String>,
    /// The rules that were judged.
    pub rules: Vec<Rule>,
    /// The gravest first; those that are accepted last.
    pub problems: Vec<Problem>,
    /// The file whose failures these are.
    pub file: String,
}

/// A rule, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub level: Level,
    /// The requirement.
    pub title: String,
    /// The effect of a failure.
    pub why: String,
    pub fix: String,
    pub recipes: Vec<Recipe>,
    /// As in `WHATWG HTML, parsing an event stream`.
    pub source: String,
    /// The link to it.
    pub link: String,
    /// The weakness, for a matter of security, as in `CWE-93`.
    pub security: Option<String>,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub rule: String,
    pub weight: Weight,
    /// As in `must, security`.
    pub level: String,
    /// In one line.
    pub message: String,
    /// Where it was seen: `exchange 1 (GET /stream, baseline), byte 42`; may be empty.
    pub seen: String,
    /// The change to make.
    pub fix: String,
    /// The failure with its bytes, as a terminal shows it.
    pub text: String,
    /// Distinguishes it from others of its rule in its file, in later runs too.
    pub identity: String,
    pub place: Place,
    /// Why it is accepted, and until when, if it is a known failure.
    pub accepted: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It fails the run.
    Error,
    /// A `should` without `--strict`.
    Warning,
    /// Advice.
    Note,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the root of the repository, with `/`.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1; 0 if it is unknown.
    pub column: usize,
}

/// The lines at which failures are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The line that names the server: for each failure without a better place.
    pub main: Place,
    /// The user's scenarios, by the files as the user named them.
    pub scenarios: BTreeMap<String, Place>,
    /// The entries of the list of known failures, by their globs.
    pub known: BTreeMap<String, Place>,
}

impl Place {
    pub fn new(file: impl Into<String>, line: usize) -> Self {
        Self { file: file.into(), line, column: 0 }
    }
}

impl Places {
    /// All at one place.
    pub fn at(main: Place) -> Self {
        Self { main, scenarios: BTreeMap::new(), known: BTreeMap::new() }
    }

    fn of(&self, finding: &Judged) -> Place {
        let scenario =
            finding.evidence.first().and_then(|evidence| self.scenarios.get(&evidence.scenario));
        scenario.unwrap_or(&self.main).clone()
    }

    fn of_step(&self, failure: &ScenarioFailure) -> Place {
        let file = self.scenarios.get(&failure.file).map_or(&failure.file, |place| &place.file);
        Place { file: file.clone(), line: failure.line.max(1), column: failure.column }
    }
}

impl Weight {
    pub fn of(level: Level, strict: bool) -> Self {
        match level {
            Level::Must => Self::Error,
            Level::Should if strict => Self::Error,
            Level::Should => Self::Warning,
            Level::Advice => Self::Note,
        }
    }
}

/// The rules of a run itself, which are in no list of rules.
struct Own {
    id: &'static str,
    title: &'static str,
    why: &'static str,
    fix: &'static str,
}

const SCENARIO: Own = Own {
    id: "sseproof/scenario",
    title: "each expectation of a scenario is met",
    why: "A scenario says what the server must do, and a step saw something else.",
    fix: "Compare the expected and the actual value; then fix the server, or the scenario.",
};
const STALE: Own = Own {
    id: "sseproof/stale-known-failure",
    title: "each known failure still fails",
    why: "An entry whose rules pass now would hide their next failure.",
    fix: "Remove the entry from the list of known failures.",
};
const INCONCLUSIVE: Own = Own {
    id: "sseproof/inconclusive",
    title: "the run shows enough for a verdict",
    why: "A rule that was not asked may be broken.",
    fix: "Remove the reason that the message names, and check again.",
};

impl Run {
    pub fn of(report: &Report, command: &'static str, places: &Places) -> Self {
        let mut problems: Vec<_> = report
            .failed()
            .into_iter()
            .chain(report.standing_at(Standing::Known))
            .map(|finding| problem(report, finding, places))
            .collect();
        problems.extend(scenarios(report, places));
        let stale = report.known.iter().filter(|entry| entry.stale);
        problems.extend(stale.map(|entry| Problem::stale(&entry.glob, "rules", places)));
        let early = report.partial.as_ref().map(|why| format!("the run ended early: {why}"));
        let early = early.or_else(|| report.unproven.clone());
        let judged = report.findings.iter().filter(|finding| finding.status != Status::Skip);
        let mut run = Self {
            command,
            tool: report.tool.clone(),
            target: report.target.clone(),
            outcome: report.outcome(),
            verdict: verdict(report),
            counts: rules(report),
            started: report.started.clone(),
            early,
            rules: judged.map(Rule::from).collect(),
            problems,
            file: places.main.file.clone(),
        };
        run.complete(&places.main);
        run
    }

    /// Adds what holds for every kind of run: a run without a verdict is a problem, the rules of runs
    /// are described, and the gravest problem is first.
    pub fn complete(&mut self, main: &Place) {
        if self.outcome == Outcome::Unproven {
            let message = self.verdict.clone();
            self.problems.insert(0, Problem::own(&INCONCLUSIVE, message, main.clone()));
        }
        for own in [&SCENARIO, &STALE, &INCONCLUSIVE] {
            if self.problems.iter().any(|problem| problem.rule == own.id) {
                self.rules.push(Rule::from(own));
            }
        }
        // Stable, so that the order of problems of one weight stays.
        self.problems.sort_by_key(|problem| (problem.accepted.is_some(), problem.weight));
    }

    fn fails(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.accepted.is_none())
    }

    fn rule(&self, problem: &Problem) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == problem.rule)
    }

    /// The fingerprint of each problem, by which the same problem is recognized in another run: of
    /// the rule, the file and the path of the stream, and of no line, port or byte.
    fn fingerprints(&self) -> Vec<String> {
        let mut seen: BTreeMap<[&str; 5], usize> = BTreeMap::new();
        let path = self.target.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or("", |(_, path)| path.split(['?', '#']).next().unwrap_or_default());
        self.problems
            .iter()
            .map(|problem| {
                let Problem { rule, identity, place, .. } = problem;
                let key = [self.command, rule, &place.file, path, identity];
                let count = seen.entry(key).or_default();
                *count += 1;
                let text = format!("{}\0{count}", key.join("\0"));
                let hash = Sha256::digest(text.as_bytes());
                hash.iter().take(FINGERPRINT).map(|byte| format!("{byte:02x}")).collect()
            })
            .collect()
    }
}

impl Problem {
    fn own(rule: &Own, message: String, place: Place) -> Self {
        Self {
            rule: rule.id.to_owned(),
            weight: Weight::Error,
            level: "must".to_owned(),
            text: message.clone(),
            message,
            seen: String::new(),
            fix: rule.fix.to_owned(),
            identity: String::new(),
            place,
            accepted: None,
        }
    }

    /// An entry of the list of known failures whose rules, or whatever else it matches, pass now.
    pub fn stale(glob: &str, what: &str, places: &Places) -> Self {
        let message = format!("the {what} of the known failure `{glob}` pass now");
        let place = places.known.get(glob).unwrap_or(&places.main).clone();
        Self { identity: glob.to_owned(), ..Self::own(&STALE, message, place) }
    }
}

fn problem(report: &Report, finding: &Judged, places: &Places) -> Problem {
    let over = report.over().find(|(entry, _)| entry.rules.contains(&finding.rule));
    let over = over.and_then(|(entry, _)| entry.until.as_ref());
    let over =
        over.map_or_else(String::new, |day| format!(" (accepted until {day}, which is over)"));
    Problem {
        rule: finding.rule.clone(),
        weight: Weight::of(finding.level, report.strict),
        level: finding.level_words(),
        message: format!("{}{over}", finding.headline()),
        seen: finding.evidence.first().map(|first| finding.place(first)).unwrap_or_default(),
        fix: finding.fix.clone(),
        text: failure_text(report, finding, &TEXT),
        identity: String::new(),
        place: places.of(finding),
        accepted: report.known_entry(&finding.rule).map(KnownResult::acceptance),
    }
}

fn scenarios(report: &Report, places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    for scenario in &report.scenarios {
        for failure in &scenario.failures {
            let ScenarioFailure { step, message, .. } = failure;
            let message = format!("{}: {step}: {}", scenario.name, message.replace('\n', "; "));
            problems.push(Problem {
                text: scenario_text(scenario, &TEXT),
                identity: format!("{}\0{step}", scenario.name),
                ..Problem::own(&SCENARIO, message, places.of_step(failure))
            });
        }
    }
    problems
}

impl From<&Judged> for Rule {
    fn from(finding: &Judged) -> Self {
        Self {
            id: finding.rule.clone(),
            level: finding.level,
            title: finding.title.clone(),
            why: finding.why.clone(),
            fix: finding.fix.clone(),
            recipes: finding.recipes.clone(),
            source: finding.source.clone(),
            link: finding.link.clone(),
            security: finding.security.clone(),
        }
    }
}

impl From<&Own> for Rule {
    fn from(own: &Own) -> Self {
        Self {
            id: own.id.to_owned(),
            level: Level::Must,
            title: own.title.to_owned(),
            why: own.why.to_owned(),
            fix: own.fix.to_owned(),
            recipes: Vec::new(),
            source: String::new(),
            link: String::new(),
            security: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::examples::example;
    use serde_json::Value;

    /// The run of an example, with a target file, a scenario and a list of known failures.
    pub(crate) fn run(name: &str) -> Run {
        let places = Places {
            main: Place::new("ci/sse proof.yaml", 3),
            scenarios: [("checks/missed.yaml".to_owned(), Place::new("ci/checks/missed.yaml", 1))]
                .into(),
            known: [("response/st*".to_owned(), Place::new("ci/known.yaml", 2))].into(),
        };
        Run::of(&example(name), "check", &places)
    }

    pub(crate) const EXAMPLES: [&str; 8] =
        ["broken", "held", "embedded", "until", "partial", "quiet_failure", "strict", "unknown"];

    /// The errors of the document by the schema.
    pub(crate) fn judged(schema: &Value, document: &Value) -> Result<(), String> {
        const NAME: &str = "https://example.invalid/schema.json";
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource(NAME, schema.clone()).unwrap();
        let index = compiler.compile(NAME, &mut schemas).unwrap();
        schemas.validate(document, index).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_run_has_an_error_exactly_when_it_does_not_pass() {
        for name in EXAMPLES {
            let run = run(name);
            let fails = run.fails().any(|problem| problem.weight == Weight::Error);
            assert_eq!(fails, run.outcome != Outcome::Held, "{name}: {run:#?}");
            let rules: Vec<_> = run.rules.iter().map(|rule| &rule.id).collect();
            assert!(run.problems.iter().all(|problem| rules.contains(&&problem.rule)), "{name}");
        }
    }

    #[test]
    fn each_problem_is_at_a_line_and_the_gravest_is_first() {
        let run = run("broken");
        let shown = |problem: &Problem| {
            let Place { file, line, column } = &problem.place;
            let accepted = if problem.accepted.is_some() { "accepted " } else { "" };
            format!("{accepted}{:?} {} {file}:{line}:{column}", problem.weight, problem.rule)
        };
        let shown: Vec<_> = run.problems.iter().map(shown).collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn a_fingerprint_is_of_the_rule_and_not_of_the_port() {
        let first = run("broken");
        let other = Run { target: "http://127.0.0.1:9/stream?x".to_owned(), ..first.clone() };
        assert_eq!(first.fingerprints(), other.fingerprints());
        let path = Run { target: "http://127.0.0.1:9/other".to_owned(), ..first.clone() };
        let mut all = [first.fingerprints(), path.fingerprints()].concat();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "each is unique");
        let twice = [first.problems.clone(), first.problems.clone()].concat();
        let mut twice = Run { problems: twice, ..first }.fingerprints();
        twice.sort();
        twice.dedup();
        assert_eq!(twice.len(), count, "also if a problem is there twice");
    }
}
