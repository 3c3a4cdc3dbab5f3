//! Every wrong client against every rule: the same run, server and client as in a real check, over
//! pipes in memory with a paused clock.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use sseproof_check_client::{Embedded, Memory, Options, play};
use sseproof_client_rules::{ClientRecord, Hooks, REFERENCE, cases, judge, mutants, rules};
use sseproof_rules::{Finding, Status};

async fn record(hooks: Hooks) -> ClientRecord {
    let memory = Memory::default();
    let mut client = Embedded::new(hooks, Arc::new(memory.clone()));
    let all: Vec<_> = cases().collect();
    let options = Options { idle: true, ..Options::default() };
    play(&all, &mut client, &memory, &options, &mut |_| {}, std::future::pending())
        .await
        .expect("a client that works")
}

fn findings(hooks: Hooks) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    judge(&runtime.block_on(record(hooks)), |_| true)
}

fn failed(findings: &[Finding]) -> BTreeSet<&str> {
    let failed = findings.iter().filter(|finding| finding.status == Status::Fail);
    failed.map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn the_reference_client_passes_every_rule() {
    let findings = findings(REFERENCE);
    assert_eq!(findings.len(), rules().count());
    for finding in &findings {
        assert_eq!(finding.status, Status::Pass, "{finding:#?}");
    }
}

#[test]
fn a_mutant_fails_its_rule() {
    let mut matrix = String::new();
    let mut unfound = Vec::new();
    for (rule, mutant) in mutants() {
        let findings = findings(mutant.hooks);
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
