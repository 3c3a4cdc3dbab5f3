//! All that is done with results of others; the fuzz target `results` uses it too.

use sseproof_load_model::{Outcome, ResultFile, Threshold, merge};
use sseproof_report::load::diff::{self, LoadDiff};
use sseproof_report::load::{LoadReport, csv, hlog, judge, markdown, terminal};
use sseproof_report::terminal::{Detail, Options};

/// All that `merge` and `diff` do with a file, and again after it was written.
pub(crate) fn used(file: ResultFile) {
    let written = file.to_json().expect("JSON");
    assert_eq!(ResultFile::parse(&written).expect("a result that was written"), file);
    let thresholds = ["delivery.p99 > 50ms", "errors > 3", "lost.share > 1%"];
    let thresholds = thresholds.map(|text| Threshold::parse(text).expect(text));
    let options = Options { detail: Detail::Verbose, ..Options::default() };
    let report = |outcomes: &[Outcome]| LoadReport {
        tool: file.tool.clone(),
        outcomes: outcomes.to_vec(),
        judged: judge(outcomes, &thresholds),
    };
    let (old, new) = file.outcomes.split_at(file.outcomes.len() / 2);
    let (old, new) = (report(old), report(new));
    let changes = ["delivery.p99 > +10%", "errors > 3"];
    let changes = changes.map(|text| Threshold::parse_change(text).expect(text)).into();
    diff::render(&LoadDiff { old, new, thresholds: changes }, &options);
    let parts = file.outcomes.iter().enumerate();
    let parts = parts.map(|(number, outcome)| (format!("{number}.json"), outcome.clone()));
    let merged = merge(parts).unwrap_or_default();
    for outcomes in [&file.outcomes, &merged] {
        let report = report(outcomes);
        terminal::render(&report, &options);
        markdown::render(&report);
        csv::render(&report.outcomes).expect("CSV");
        hlog::render(&report.outcomes).expect("a log");
    }
}
