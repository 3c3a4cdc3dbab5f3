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

#[test]
fn requirements_are_chosen_and_known_failures_are_read_as_in_a_check() {
    let only = |glob| run(&["check-parser", "--streams", "10", "--only", glob]);
    only("whatwg-sse/bom-*").ends(0, &["1 of 1 requirements passed"]);
    only("random/*").ends(0, &["✓ 10 random hostile streams"]);
    only("resume/*").ends(2, &["cannot use --only: `resume/*` matches no requirement"]);
    let folder = Folder::new();
    let known = folder.name("known.yaml");
    let with = |text: &str| {
        std::fs::write(&known, text).unwrap();
        run(&["check-parser", "--streams", "10", "--only", "whatwg-sse/bom-*", "--known", &known])
    };
    with("whatwg-sse/bom-at-start: x").ends(1, &["remove the entry"]);
    with("whatwg-sse/utf8-decode: not checked here").ends(0, &[]);
    with("whatwg-sse/utf9: x").ends(2, &["`whatwg-sse/utf9` matches no requirement"]);
    with("random/hostile: ''").ends(2, &["has no reason"]);
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
