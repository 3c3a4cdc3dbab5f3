//! Every wrong client against every rule: the same run, server and client as in a real check, over
//! pipes in memory with a paused clock.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use sseproof_check_client::{Embedded, Memory, Options, play};
use sseproof_client_rules::client::lost;
use sseproof_client_rules::{
    ClientRecord, Hooks, Kind, Loss, REFERENCE, Rule, cases, judge, mutants, rules,
};
use sseproof_rules::{Finding, Status};

/// A client that reconnects after a cut only is asked by cuts.
#[test]
fn a_client_that_stays_away_after_an_end_is_asked_by_cuts() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hooks = Hooks {
        lost: |state, loss| match loss {
            Loss::End => None,
            _ => lost(state, loss),
        },
        ..REFERENCE
    };
    let memory = Memory::default();
    let tls = memory.certificates.client().expect("certificates");
    let client = Embedded::new(hooks, Arc::new(memory.clone())).of(Kind::Resilient).trusting(tls);
    let mut client = client.retrying_on(&["network", "503"]);
    let all: Vec<_> = cases().filter(|case| !case.alone).collect();
    let played = async {
        play(&all, &mut client, &memory, &Options::default(), &mut |_| {}, std::future::pending())
            .await
            .expect("a client that works")
    };
    let findings = judge(&runtime.block_on(played), |_| true);
    assert!(failed(&findings).is_empty(), "{:#?}", failed(&findings));
    let status = |rule: &str| findings.iter().find(|found| found.rule == rule).map(|it| it.status);
    for rule in ["client/last-event-id", "client/retry-heeded", "client/retry-kept"] {
        assert_eq!(status(rule), Some(Status::Pass), "{rule}");
    }
    assert_eq!(status("client/reconnect-after-end"), Some(Status::Skip));
}

async fn record(kind: Kind, hooks: Hooks, measured: bool, own: Option<&Rule>) -> ClientRecord {
    let memory = Memory::default();
    let tls = memory.certificates.client().expect("certificates");
    let mut client = Embedded::new(hooks, Arc::new(memory.clone())).of(kind).trusting(tls);
    if measured {
        client = client.measured();
    }
    // Those that are played alone pour megabytes: a wrong client plays only those of its rule.
    let is_asked = |id| own.is_none_or(|rule| rule.cases.contains(id));
    let all: Vec<_> = cases().filter(|case| !case.alone || is_asked(&case.id)).collect();
    let options = Options { idle: true, ..Options::default() };
    play(&all, &mut client, &memory, &options, &mut |_| {}, std::future::pending())
        .await
        .expect("a client that works")
}

fn findings(kind: Kind, hooks: Hooks, measured: bool, own: Option<&Rule>) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    judge(&runtime.block_on(record(kind, hooks, measured, own)), |_| true)
}

/// Whether the rule judges how a client uses its memory.
fn is_measured(rule: &Rule) -> bool {
    cases().any(|case| case.measured && rule.cases.contains(&case.id))
}

fn failed(findings: &[Finding]) -> BTreeSet<&str> {
    let failed = findings.iter().filter(|finding| finding.status == Status::Fail);
    failed.map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn the_reference_client_passes_every_rule() {
    let mut passed = BTreeSet::new();
    for kind in [Kind::Eventsource, Kind::Resilient, Kind::Reader] {
        for finding in findings(kind, REFERENCE, true, None) {
            let holds = matches!(finding.status, Status::Pass | Status::Skip);
            assert!(holds, "as {kind:?}: {finding:#?}");
            if finding.status == Status::Pass {
                passed.insert(finding.rule);
            }
        }
    }
    let missing: Vec<_> = rules().map(|rule| rule.id).filter(|id| !passed.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_mutant_fails_its_rule() {
    let mut matrix = String::new();
    let mut unfound = Vec::new();
    for (rule, mutant) in mutants() {
        let findings = findings(mutant.kind, mutant.hooks, is_measured(rule), Some(rule));
        let failed = failed(&findings);
        if !failed.contains(rule.id) {
            let found = findings.iter().find(|finding| finding.rule == rule.id);
            unfound.push(format!("{}: {:?}", mutant.id, found.map(|found| &found.note)));
        }
        let others: Vec<_> = failed.into_iter().filter(|failed| *failed != rule.id).collect();
        let also = match others.is_empty() {
            true => String::new(),
            false => format!("; also {}", others.join(", ")),
        };
        writeln!(matrix, "{}: {}{also}", mutant.id, rule.id).expect("a string takes everything");
    }
    assert!(unfound.is_empty(), "mutants that pass their rule: {unfound:#?}");
    insta::assert_snapshot!(matrix);
}
