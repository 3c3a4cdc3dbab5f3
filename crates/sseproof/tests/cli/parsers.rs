//! `sseproof check-parser`, with the embedded parser and with broken adapters.

use crate::program::{Folder, read, run};

#[test]
fn without_a_command_the_embedded_decoder_is_checked_and_right() {
    run(&["check-parser", "--streams", "50"]).ends(0, &["24 of 24 requirements passed"]);
}

#[test]
fn a_command_that_is_not_there_is_not_reached() {
    run(&["check-parser", "--", "no-such-parser"]).ends(3, &["cannot start no-such-parser"]);
}

#[cfg(unix)]
#[test]
fn an_adapter_that_always_dies_is_not_reached_and_is_quoted() {
    let folder = Folder::new();
    let (json, junit) = (folder.name("r.json"), folder.name("r.xml"));
    let died = "echo 'ModuleNotFoundError: sse' >&2; exit 1";
    let ran = run(&[
        "check-parser",
        "--streams",
        "1",
        "--json",
        &json,
        "--junit",
        &junit,
        "--",
        "sh",
        "-c",
        died,
    ]);
    ran.ends(3, &["inconclusive: no answer to 5 questions", "ModuleNotFoundError: sse"]);
    let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
    assert_eq!(value["requirements"].as_array().map(Vec::len), Some(24));
    assert!(read(&junit).contains("whatwg-sse/bom-at-start"));
}
