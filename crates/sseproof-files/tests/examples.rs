//! Every example parses.

use std::path::Path;

use sseproof_files::{Scenario, Variables};

#[test]
fn every_example_parses() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/examples");
    let mut variables = Variables::default();
    variables.environment.insert("STREAM_TOKEN".to_owned(), "secret".to_owned());
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = std::fs::read_to_string(&path).unwrap();
        if let Err(mistakes) = Scenario::parse(&path.display().to_string(), &source, &variables) {
            panic!("{mistakes}");
        }
        count += 1;
    }
    assert!(count >= 5);
}
