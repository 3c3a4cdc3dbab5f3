//! Streams as they are met in the wild: right ones, of which no rule may complain, and bugs that
//! were reported, each of which one rule must find.

use std::collections::BTreeMap;

use serde::Deserialize;
use sseproof_record::{Ending, Transcript};

use crate::cases::bytes;
use crate::testing::body;
use crate::{Finding, Level, Record, Status};

/// The rules that fail for a stream that ends so after these bytes, and their levels.
fn failed(bytes: &[u8], how: Ending) -> Vec<(String, Level)> {
    let transcript = Transcript { exchanges: vec![body(bytes, how)], ..Transcript::default() };
    let record = Record::new(&transcript);
    super::FAMILY
        .rules
        .iter()
        .map(|rule| Finding::of(rule, &record))
        .filter(|finding| finding.status == Status::Fail)
        .map(|finding| (finding.rule, finding.level))
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wild {
    right: BTreeMap<String, String>,
    /// Each with the rule that fails.
    advice: BTreeMap<String, (String, String)>,
    wrong: BTreeMap<String, (String, String)>,
}

fn wild() -> Wild {
    serde_yaml::from_str(include_str!("../../tests/wild.yaml")).expect("streams")
}

#[test]
fn no_rule_complains_of_a_right_stream() {
    for (name, text) in wild().right {
        assert_eq!(failed(&bytes(&text), Ending::Complete), [], "{name}");
    }
}

#[test]
fn no_rule_complains_of_a_right_stream_that_is_cut_anywhere() {
    for (name, text) in wild().right {
        let bytes = bytes(&text);
        for cut in 0..bytes.len() {
            for how in [Ending::Disconnected, Ending::Reset, Ending::Truncated] {
                assert_eq!(failed(&bytes[..cut], how), [], "{name}, cut at {cut}");
            }
        }
    }
}

#[test]
fn what_is_only_unwise_breaks_advice_alone() {
    for (name, (rule, text)) in wild().advice {
        assert_eq!(failed(&bytes(&text), Ending::Complete), [(rule, Level::Advice)], "{name}");
    }
}

#[test]
fn each_bug_is_found_by_one_rule() {
    for (name, (rule, text)) in wild().wrong {
        let failed = failed(&bytes(&text), Ending::Complete);
        assert_eq!(failed.iter().map(|(rule, _)| rule).collect::<Vec<_>>(), [&rule], "{name}");
        assert_ne!(failed[0].1, Level::Advice, "{name}");
    }
}
