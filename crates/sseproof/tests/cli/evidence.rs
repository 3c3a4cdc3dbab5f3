//! Recordings that a case of `evidence.yaml` cannot describe.

use crate::HOLDS;
use crate::program::{Folder, read, run, serve};

#[test]
fn a_recording_of_version_1_gives_the_verdicts_that_it_gave() {
    let folder = Folder::new();
    let findings = |file: &str| {
        let json = folder.name("r.json");
        run(&["check", "--replay", file, "--json", &json]);
        let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
        assert_eq!(value["broken"], serde_json::json!(["stream/utf8"]), "{file}");
        value["report"]["findings"].clone()
    };
    for (file, passed) in [
        ("v1-http1.jsonl", ["response/framing", "response/head-syntax"]),
        ("v1-http2.jsonl", ["transport/lower-case", "transport/connection-fields"]),
    ] {
        let file = format!("{}/tests/recordings/{file}", env!("CARGO_MANIFEST_DIR"));
        let old = findings(&file);
        for rule in passed {
            let all = old.as_array().unwrap();
            let finding = all.iter().find(|finding| finding["rule"] == rule).unwrap();
            assert_eq!(finding["status"], "pass", "{finding}");
        }
        let anew = run(&["cut", &file, "--rule", "stream/utf8"]).out;
        assert!(anew.starts_with("{\"transcript\":{\"version\":2,"), "{anew}");
        assert_eq!(findings(&folder.write("anew.jsonl", &anew)), old, "{file}");
    }
}

#[test]
fn a_recording_that_is_cut_off_is_judged_as_far_as_it_goes() {
    let folder = Folder::new();
    let (served, scenario) =
        (serve(&["--mutant", "latin1-payload"]), folder.write("holds.yaml", HOLDS));
    let recording = folder.name("r.jsonl");
    run(&["check", &served.url, &scenario, "--no-probes", "--record", &recording])
        .ends(1, &["✗ stream/utf8"]);
    let text = read(recording);
    let half = folder.write("half.jsonl", &text[..text.rfind("{\"end\"").unwrap() + 10]);
    let ran = run(&["check", "--replay", &half]);
    ran.ends(1, &["the recording is cut off here", "✗ stream/utf8"]);
    assert!(ran.err.contains(&format!("line {}", text.trim_end().lines().count())), "{ran:?}");
    // If nothing is broken before the cut, the verdict is still not "passed".
    let none = folder.write("none.jsonl", &text[..text.find("{\"received\"").unwrap()]);
    run(&["check", "--replay", &none]).ends(1, &["the recording is cut off"]);
    let torn = folder.write("torn.jsonl", &text.replacen("{\"received\"", "{\"receiv", 1));
    run(&["check", "--replay", &torn]).ends(2, &["line "]);
}
