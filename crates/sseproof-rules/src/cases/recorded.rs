//! The runs of the cases as recordings.

use std::fs;
use std::mem::discriminant;
use std::path::Path;

use sseproof_record::{read_recording, write_recording};

use super::{FILES, family, file};
use crate::Record;

/// The folder for recordings with which the fuzz target `recording` begins; `cargo xtask fuzz` sets it.
const FOLDER: &str = "SSEPROOF_CASES";
/// Longer ones take the target too much time.
const LONGEST: usize = 4_000;

/// Of each rule and verdict, the first recording that is small is kept.
#[test]
fn a_recording_gives_the_verdict_of_its_run() {
    #[expect(clippy::disallowed_methods, reason = "a rule does not read it, only this test")]
    let folder = std::env::var(FOLDER).ok();
    for (name, text) in FILES {
        let cases = file(text).cases;
        for (rule, profile) in family(name) {
            let own = rule.id.rsplit('/').next().and_then(|name| cases.get(name));
            let runs = own.into_iter().flatten().flat_map(|case| {
                case.exchanges().into_iter().map(|exchanges| case.run(&exchanges, profile))
            });
            let mut kept = Vec::new();
            for run in runs {
                let verdict = (rule.judge)(&Record::new(&run));
                let recording = write_recording(&run);
                let read = read_recording(&recording).expect("a recording that was written");
                assert_eq!((rule.judge)(&Record::new(&read)), verdict, "{}", rule.id);
                let Some(folder) = &folder else { continue };
                if recording.len() > LONGEST || kept.contains(&discriminant(&verdict)) {
                    continue;
                }
                kept.push(discriminant(&verdict));
                let file = format!("{}.{}.jsonl", rule.id.replace('/', "."), kept.len());
                fs::write(Path::new(folder).join(file), recording).expect("a folder");
            }
        }
    }
}
