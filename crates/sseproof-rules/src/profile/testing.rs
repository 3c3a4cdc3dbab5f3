//! For the tests of profiles.

use std::time::Duration;

use sseproof_record::{Answer, Request};

use super::Profile;
use crate::testing::Run;
use crate::{Finding, Record, Status};

/// A run in which each of these bodies is sent to the server, and the answers are read to their ends.
fn run(profile: &Profile, serve: Answer, bodies: &[&str]) -> Run {
    bodies.iter().fold(Run::against(serve), |run, body| {
        let mut request = Request::subscribe(format!("http://server{}", profile.path));
        request.method = profile.method.to_owned();
        request.body = body.as_bytes().into();
        run.visit(request, Duration::from_secs(60))
    })
}

fn failing(profile: &Profile, serve: Answer, bodies: &[&str]) -> Vec<&'static str> {
    let run = run(profile, serve, bodies);
    let record = Record::new(run.transcript());
    let fails = |rule: &crate::Rule| Finding::of(rule, &record).status == Status::Fail;
    profile.rules.iter().filter(|rule| fails(rule)).map(|rule| rule.id).collect()
}

pub(super) fn reference_passes(profile: &Profile, bodies: &[&str]) {
    assert_eq!(failing(profile, profile.answer, bodies), [""; 0]);
    let run = run(profile, profile.answer, bodies);
    for rule in profile.rules {
        run.passes_or_skips(rule);
    }
}

pub(super) fn mutants_fail_alone(profile: &Profile, bodies: &[&str]) {
    let mutants =
        profile.rules.iter().flat_map(|rule| rule.mutants.iter().map(move |own| (rule.id, own)));
    let wrong: Vec<_> = mutants
        .map(|(rule, mutant)| (mutant.id, rule, failing(profile, mutant.serve, bodies)))
        .filter(|(_, rule, failing)| *failing != [*rule])
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
