//! Any file as the result of a load: no panic of a merge, a comparison or a report.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_load_model::ResultFile;

#[path = "../../crates/sseproof-report/tests/used_result/mod.rs"]
mod used_result;

fuzz_target!(|file: &[u8]| {
    if let Ok(file) = ResultFile::parse(&String::from_utf8_lossy(file)) {
        used_result::used(file);
    }
});
