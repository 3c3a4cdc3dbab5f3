//! Pages of loads and of comparisons, with text of others in each place.

mod common;

use common::{EVIL, assert_harmless, poison};
use sseproof_html::{diff, load};
use sseproof_load_model::{ResultFile, Threshold};
use sseproof_report::load::diff::LoadDiff;
use sseproof_report::load::{LoadReport, judge};

const RESULT: &str = include_str!("../../sseproof-report/tests/result.json");

fn report(text: &str) -> LoadReport {
    let ResultFile { tool, outcomes, .. } = ResultFile::parse(text).expect("a result");
    let threshold = |text: &str| Threshold::parse(text).expect("a threshold");
    let judged = judge(&outcomes, &["delivery.p99 > 1ns", "lost > 0"].map(threshold));
    LoadReport { tool, outcomes, judged }
}

#[test]
fn a_page_has_the_thresholds_the_charts_and_a_table_for_each() {
    let html = load::page(&report(RESULT));
    assert_harmless(&html);
    for part in ["id=\"thresholds\"", "id=\"time\"", "id=\"percentiles\"", "Values over time"] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(load::page(&report(RESULT)), html);
    let charts = html.matches("<svg class=\"chart\"").count();
    assert_eq!(charts, html.matches("<svg class=\"chart\" role=\"img\"").count());
    assert!(charts > 3, "{charts}");
}

#[test]
fn text_of_others_is_inert_in_each_place() {
    let except = ["format", "transport", "histograms", "error_kinds", "kind"];
    for evil in EVIL {
        let mut value = serde_json::from_str(RESULT).expect("JSON");
        poison(&mut value, &except, evil);
        let poisoned = report(&value.to_string());
        let html = load::page(&poisoned);
        assert!(html.contains("EVIL"));
        assert_harmless(&html);
        let both = LoadDiff { old: report(RESULT), new: poisoned, thresholds: Vec::new() };
        let html = diff::page(&both);
        assert!(html.contains("EVIL"));
        assert_harmless(&html);
    }
}

#[test]
fn nothing_at_all_has_a_page() {
    assert_harmless(&load::page(&LoadReport::default()));
    assert_harmless(&diff::page(&LoadDiff::default()));
}
