//! The report on a client.

use std::time::Duration;

use sseproof_client_rules::{Call, CaseRecord, ClientRecord, What, judge};
use sseproof_report::{Judged, Measures, Report, Subject};
use sseproof_rules::Status;

use super::options::Chosen;
use crate::args::CheckClient;
use crate::known::{self, Known};
use crate::output::is_standard;

pub(super) fn report(
    arguments: &CheckClient,
    record: &ClientRecord,
    chosen: &Chosen,
    known: Vec<Known>,
    lasted: Duration,
) -> Report {
    let findings: Vec<Judged> =
        judge(record, |rule| chosen.has(rule)).into_iter().map(Judged::from).collect();
    let known = known::results(known, &findings);
    let CheckClient { replay, command, service, browser, .. } = arguments;
    let is_of_user = service.is_some() || browser.is_some() || !command.is_empty();
    let is_embedded = replay.is_none() && !is_of_user;
    let nothing = findings.iter().all(|finding| finding.status != Status::Pass);
    let unproven = (nothing && !findings.iter().any(|finding| finding.status == Status::Fail))
        .then(|| "no rule could be asked".to_owned());
    let (requests, events) = record.cases.iter().fold((0, 0), |(requests, all), case| {
        let asked = case.entries.iter().filter(|entry| matches!(entry.what, What::Asked(_)));
        (requests + asked.count() as u64, all + events(case))
    });
    Report {
        subject: Subject::Client,
        tool: concat!("sseproof ", env!("CARGO_PKG_VERSION")).to_owned(),
        target: format!("{} {}", record.client.name, record.client.version).trim_end().to_owned(),
        embedded: is_embedded,
        duration_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
        strict: arguments.strict,
        findings,
        known,
        measures: Measures {
            exchanges: Some(requests),
            events: Some(events),
            ..Measures::default()
        },
        partial: record.cut.clone(),
        unproven,
        recording: arguments
            .record
            .as_deref()
            .filter(|file| !is_standard(file))
            .map(|file| file.display().to_string()),
        ..Report::default()
    }
}

/// How many events were delivered in the case.
pub(super) fn events(case: &CaseRecord) -> u64 {
    let is_event = |what: &What| matches!(what, What::Called { call: Call::Event(_), .. });
    case.entries.iter().filter(|entry| is_event(&entry.what)).count() as u64
}
