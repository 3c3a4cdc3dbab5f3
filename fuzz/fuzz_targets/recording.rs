//! Any file as a recording: no panic of a reader, a rule or a report, and what was read is written
//! so that it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sseproof_record::{read_cut_recording, read_plain, read_recording, write_recording};

#[path = "../../crates/sseproof-report/tests/used/mod.rs"]
mod used;

fuzz_target!(|file: &[u8]| {
    if let Ok(transcript) = read_plain(file) {
        used::used(transcript);
    }
    if let Ok((transcript, _)) = read_cut_recording(&String::from_utf8_lossy(file)) {
        let written = write_recording(&transcript);
        used::used(transcript);
        let again = read_recording(&written).expect("a recording that was written");
        assert_eq!(write_recording(&again), written);
    }
});
