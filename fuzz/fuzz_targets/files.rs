//! Any text as a scenario, a target and a load plan: no panic, and each mistake has a place in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_files::{Mistakes, PlanFile, Scenario, Target, Variables};

fuzz_target!(|text: &str| {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let variables = Variables {
        given: [pair("url", "http://h/events"), pair("token", "x")].into(),
        environment: [pair("TOKEN", "y")].into(),
    };
    // YAML also ends a line at a CR. A mistake may be at the end of the text.
    let lines = text.split(['\n', '\r']).count();
    let placed = |mistakes: Mistakes| {
        assert!(!mistakes.0.is_empty());
        for mistake in &mistakes.0 {
            assert!((1..=lines).contains(&mistake.line), "{mistake}");
            assert!(mistake.column > 0 && !mistake.what.is_empty(), "{mistake}");
        }
        let _ = mistakes.to_string();
    };
    let _ = Scenario::parse("file.yaml", text, &variables).map_err(placed);
    let _ = Target::parse("file.yaml", text, &variables).map_err(placed);
    let _ = PlanFile::parse("file.yaml", text, &variables).map_err(placed);
});
