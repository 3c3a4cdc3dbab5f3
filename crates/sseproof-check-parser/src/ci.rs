//! The report as CI systems show it: each requirement that is broken is a problem.

use sseproof_report::Outcome;
use sseproof_report::ci::{Places, Problem, Rule, Run, Weight};
use sseproof_rules::{Level, requirement};
use sseproof_units::counted;

use crate::judge::Failure;
use crate::report::{Known, Report, Verdict, shown};

const CUT: &str = "Keep what is not complete until the next chunk.";

/// The run, with each problem at its place.
pub fn ci(report: &Report, places: &Places) -> Run {
    let mut problems: Vec<_> = broken(report, places);
    let stale = report.known.iter().filter(|entry| entry.stale);
    problems.extend(stale.map(|entry| Problem::stale(&entry.glob, "requirements", places)));
    let is_broken = problems.iter().any(|problem| problem.accepted.is_none());
    let outcome = match (is_broken, report.is_right()) {
        (true, _) => Outcome::Broken,
        (false, true) => Outcome::Held,
        (false, false) => Outcome::Unproven,
    };
    let (held, of) = (report.count(Verdict::Held), report.requirements.len());
    let mut run = Run {
        command: "check-parser",
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: report.parser.clone(),
        outcome,
        verdict: report.verdict(),
        counts: format!("{held} of {} passed", counted(of, "requirement")),
        started: String::new(),
        early: (!report.is_complete).then(|| report.verdict()),
        rules: rules(report),
        problems,
        file: places.main.file.clone(),
    };
    run.complete(&places.main);
    run
}

fn rules(report: &Report) -> Vec<Rule> {
    let requirements = report.requirements.iter().map(|judged| rule(&judged.requirement));
    requirements.chain(report.chance.iter().map(|chance| rule(&chance.id()))).collect()
}

fn rule(id: &str) -> Rule {
    let known = requirement(id);
    let text = known.map_or("random streams are read as the standard says", |one| &one.text);
    Rule {
        id: id.to_owned(),
        level: known.map_or(Level::Must, |one| one.level),
        title: text.trim_end_matches('.').to_owned(),
        why: "A client that reads a stream otherwise delivers other events than a browser does."
            .to_owned(),
        fix: String::new(),
        recipes: Vec::new(),
        source: known.map_or_else(String::new, |one| one.source.clone()),
        link: known.map_or_else(String::new, |one| one.link.clone()),
        security: known.and_then(|one| one.security.clone()),
    }
}

fn broken(report: &Report, places: &Places) -> Vec<Problem> {
    let mut problems = Vec::new();
    for judged in &report.requirements {
        let failed: Vec<_> = judged.failed().collect();
        if let Some((first, failure)) = failed.first() {
            let cases = format!("{} of {}", failed.len(), counted(judged.cases.len(), "case"));
            let message = format!("{cases} fail; {}: {}", first.case, first.about);
            problems.push(problem(report, &judged.requirement, message, failure, places));
        }
    }
    for chance in &report.chance {
        if let Some(failure) = &chance.failure {
            let message =
                format!("a random {} stream (seed {}) is read wrongly", chance.kind, chance.seed);
            problems.push(problem(report, &chance.id(), message, failure, places));
        }
    }
    problems
}

fn problem(
    report: &Report,
    id: &str,
    message: String,
    failure: &Failure,
    places: &Places,
) -> Problem {
    let mut text = format!("{message}\n");
    shown(failure, &mut text);
    let cut = failure.only_when_cut;
    Problem {
        rule: id.to_owned(),
        weight: Weight::Error,
        level: "must".to_owned(),
        message: if cut { format!("{message} (only if the stream is cut)") } else { message },
        seen: String::new(),
        fix: if cut { CUT.to_owned() } else { String::new() },
        text,
        identity: String::new(),
        place: places.main.clone(),
        accepted: report.known(id).map(|Known { reason, until, .. }| match until {
            Some(until) => format!("{reason}; until {until}"),
            None => reason.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RANDOM;
    use crate::{Answer, Fault, Options, Parser, Reference, check};
    use sseproof_report::ci::{Place, sarif};

    fn places() -> Places {
        Places::at(Place::new("adapter.py", 1))
    }

    /// It reports no event.
    struct Deaf;

    impl Parser for Deaf {
        fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault> {
            Reference.parse(chunks).map(|answer| Answer { events: Vec::new(), ..answer })
        }
    }

    #[test]
    fn a_right_parser_has_no_problem_and_a_wrong_one_has_many() {
        let options = Options { streams: 5, seed: 1 };
        let right = ci(&check("right", &mut Reference, options), &places());
        assert_eq!((right.outcome, right.problems.len()), (Outcome::Held, 0));
        let mut report = check("deaf", &mut Deaf, options);
        let wrong = ci(&report, &places());
        assert_eq!(wrong.outcome, Outcome::Broken);
        let rules: Vec<_> = wrong.problems.iter().map(|problem| &*problem.rule).collect();
        assert!(rules.contains(&"whatwg-sse/blank-line-dispatches"), "{rules:?}");
        assert!(rules.iter().any(|rule| rule.starts_with(RANDOM)), "{rules:?}");
        assert!(sarif::render(&wrong).contains("adapter.py"));
        report.accept("*".to_owned(), "it is deaf".to_owned(), |_| true);
        let known = ci(&report, &places());
        assert_eq!(known.outcome, Outcome::Held, "{:#?}", known.problems.first());
        assert!(known.problems.iter().all(|problem| problem.accepted.is_some()));
    }
}
