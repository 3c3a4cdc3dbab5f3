//! Recordings: cut, played, read from a file of curl, redacted.

use crate::program::{Folder, Served, finish, read, run, serve, serve_with, sseproof};
use crate::quick;

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, no-transform\r\nX-Accel-Buffering: no\r\nTransfer-Encoding: chunked\r\n\r\ndata: x\n\n";

fn recorded(folder: &Folder) -> String {
    let served = serve(Some("latin1-payload"));
    let recording = folder.name("r.jsonl");
    quick(&served, folder, &["--record", &recording]).ends(1, &["✗ stream/utf8"]);
    recording
}

#[test]
fn a_recording_is_cut_to_what_shows_a_finding_and_played_to_a_colleague() {
    let folder = Folder::new();
    let recording = recorded(&folder);
    let cut = run(&["cut", &recording, "--rule", "stream/utf8"]);
    cut.ends(0, &["exchanges show that stream/utf8 is broken"]);
    let small = folder.write("small.jsonl", &cut.out);
    run(&["check", "--replay", &small]).ends(1, &["✗ stream/utf8"]);
    run(&["cut", &recording, "--rule", "stream/bom"]).ends(2, &["stream/bom is not broken"]);
    run(&["cut", &recording, "--rule", "stream/x"]).ends(2, &["unknown rule `stream/x`"]);

    let served = serve_with(&["--play", &small]);
    quick(&served, &folder, &[]).ends(1, &["✗ stream/utf8"]);
}

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
fn a_server_in_a_file_gives_the_findings_of_the_server_itself() {
    let folder = Folder::new();
    let recording = folder.name("whole.jsonl");
    let broken = |server: &Served, more: &[&str]| {
        let json = folder.name("r.json");
        let mut arguments = vec!["check", &server.url, "--json", &json];
        arguments.extend(more);
        run(&arguments);
        let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
        value["broken"].clone()
    };
    let served = serve(Some("latin1-payload"));
    let first = broken(&served, &["--record", &recording]);
    drop(served);
    assert_eq!(broken(&serve_with(&["--play", &recording]), &[]), first);
    assert!(first.as_array().is_some_and(|rules| !rules.is_empty()), "{first}");
}

#[test]
fn a_file_of_curl_is_judged_and_played() {
    let folder = Folder::new();
    let right = folder.write("right.txt", PLAIN);
    run(&["check", "--replay", &right]).ends(0, &["✓", "a file holds one answer"]);
    let wrong = folder.write("wrong.txt", &PLAIN.replace("data: x", "Data: x"));
    run(&["check", "--replay", &wrong]).ends(1, &["✗ stream/field-spelling"]);
    let body = folder.write("body.txt", "Data: x\n\nid: 1\ndata: y\n\n");
    run(&["check", "--replay", &body]).ends(1, &["✗ stream/field-spelling", "curl -isN URL"]);

    let served = serve_with(&["--play", &wrong]);
    quick(&served, &folder, &["--only", "stream/*"]).ends(1, &["✗ stream/field-spelling"]);
}

#[test]
fn a_file_that_is_no_recording_says_what_is_one() {
    let folder = Folder::new();
    let page = folder.write("page.html", "<!doctype html>");
    run(&["check", "--replay", &page])
        .ends(2, &["curl -isN URL > FILE", "neither with a status line"]);
    let torn = folder.write("torn.txt", "HTTP/1.1 200 OK\r\nwhat\r\n\r\n");
    run(&["check", "--replay", &torn]).ends(2, &["line 2: `what` is not a header field"]);
    run(&["serve", "--play", &page]).ends(2, &["cannot read --play"]);
    let empty = folder.write("empty.txt", "");
    run(&["check", "--replay", &empty]).ends(2, &["the file is empty"]);
}

#[test]
fn a_recording_that_is_cut_off_is_judged_as_far_as_it_goes() {
    let folder = Folder::new();
    let text = read(recorded(&folder));
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

#[test]
fn each_failure_has_a_log_that_a_person_can_read() {
    let (served, folder) = (serve(Some("latin1-payload")), Folder::new());
    let (logs, json) = (folder.name("logs"), folder.name("r.json"));
    let markdown = folder.name("r.md");
    let outputs = ["--wire-log", &logs, "--json", &json, "--markdown", &markdown, "--verbose"];
    let ran = quick(&served, &folder, &outputs);
    ran.ends(1, &["> GET /events HTTP/1.1", "< HTTP/1.1 200 OK", "* sseproof disconnected"]);
    let log = read(folder.path("logs").join("stream-utf8.txt"));
    for line in ["> GET /events HTTP/1.1", "< HTTP/1.1 200 OK", "+0.0", "64 61 74 61 3a"] {
        assert!(log.contains(line), "{line} is not in {log}");
    }
    assert!(read(&markdown).contains("bytes on the wire"));
    assert!(read(&json).contains("> GET /events HTTP/1.1"));
}

#[test]
fn credentials_stay_here_unless_they_are_asked_for() {
    let (served, folder) = (serve(Some("latin1-payload")), Folder::new());
    let target =
        folder.write("t.yaml", "headers: { X-Tenant: \"id ${env:SSEPROOF_TEST_SECRET}\" }\n");
    let outputs: Vec<String> =
        ["r.jsonl", "r.json", "logs"].iter().map(|name| folder.name(name)).collect();
    let scenario = folder.write("holds.yaml", crate::HOLDS);
    let mut arguments = vec!["check", &served.url, &scenario, "--no-probes", "--verbose"];
    arguments.extend(["--target", &target, "-H", "Authorization: Bearer hunter22"]);
    arguments.extend(["--record", &outputs[0], "--json", &outputs[1], "--wire-log", &outputs[2]]);
    let check = |more: &[&str]| {
        let mut command = sseproof(&arguments);
        command.args(more).env("SSEPROOF_TEST_SECRET", "of-the-environment");
        let ran = finish(command.spawn().unwrap());
        let log = read(folder.path("logs").join("stream-utf8.txt"));
        [ran.out, read(&outputs[0]), read(&outputs[1]), log].join("\n")
    };
    let output = check(&[]);
    assert!(output.contains("Authorization: Bearer redacted-"), "{output}");
    for secret in ["hunter22", "of-the-environment"] {
        assert!(!output.contains(secret), "{secret} is in {output}");
    }
    assert!(check(&["--secrets"]).contains("hunter22"));
}

#[test]
fn no_report_has_credentials_of_any_source() {
    let folder = Folder::new();
    // The stream repeats a credential at the place of a fault.
    let wrong = folder.write("wrong.txt", &PLAIN.replace("data: x", "Data: hunter22 is here"));
    let served = serve_with(&["--play", &wrong]);
    let target =
        folder.write("t.yaml", "active: { http: { path: \"/active?token=of-the-gauge\" } }\n");
    let scenario = |name: &str, steps: &str| {
        folder.write(name, &format!("scenario: a secret is near\nsteps:\n{steps}"))
    };
    let scenarios = [
        scenario(
            "head.yaml",
            "  - connect: { headers: { X-Api-Key: of-the-scenario } }\n  - expect: { event: {}, within: 200ms }\n",
        ),
        scenario("gauge.yaml", "  - gauge: { as: before }\n"),
    ];
    let files = ["r.jsonl", "r.json", "r.xml", "r.md"].map(|name| folder.name(name));
    let logs = folder.name("logs");
    let mut arguments = vec!["check", &served.url, "--no-probes", "--target", &target];
    arguments.extend(scenarios.iter().map(String::as_str));
    arguments.extend(["--verbose", "-H", "Authorization: Bearer hunter22"]);
    arguments.extend(["--record", &files[0], "--json", &files[1], "--junit", &files[2]]);
    arguments.extend(["--markdown", &files[3], "--wire-log", &logs]);
    let secrets = ["hunter22", "of-the-gauge", "of-the-scenario"];
    let check = |more: &[&str]| {
        let ran = run(&[&arguments, more].concat());
        let mut output =
            vec![ran.out, ran.err, read(folder.path("logs").join("stream-field-spelling.txt"))];
        output.extend(files.iter().map(read));
        output
    };
    let output = check(&[]);
    for (index, text) in output.iter().enumerate() {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in output {index}: {text}");
        }
    }
    assert!(output[0].contains("Data: r"), "{}", output[0]);
    assert!(output[0].contains("X-Api-Key: redacted-"), "{}", output[0]);
    // The recording still shows the fault, and --secrets keeps each secret.
    run(&["check", "--replay", &files[0]]).ends(1, &["✗ stream/field-spelling"]);
    let output = check(&["--secrets"]).concat();
    for secret in secrets {
        assert!(output.contains(secret), "{secret} is missing");
    }

    let closed = format!("http://{}/events?token=of-the-query", crate::program::free_address());
    let ran = run(&["check", &closed]);
    ran.ends(3, &["token=redacted-1"]);
    assert!(!ran.err.contains("of-the-query") && !ran.out.contains("of-the-query"), "{ran:?}");
}

#[test]
fn init_writes_files_that_a_check_can_use_and_never_over_others() {
    let (served, folder) = (serve(None), Folder::new());
    let into = folder.name("project");
    let first = run(&["init", &served.url, "--folder", &into]);
    first.ends(0, &["with ids, retry 100 ms", "wrote ", "sse.yml", "--target sseproof.yaml"]);
    let target = folder.path("project").join("sseproof.yaml");
    let scenario = folder.write("holds.yaml", crate::HOLDS);
    let target_name = target.to_str().unwrap().to_owned();
    run(&["check", "--target", &target_name, &scenario, "--no-probes"]).ends(0, &["✓"]);
    run(&["init", &served.url, "--folder", &into]).ends(2, &["exists already", "--force"]);
    run(&["init", &served.url, "--folder", &into, "--force"]).ends(0, &["wrote "]);

    let with = ["init", &served.url, "-H", "Authorization: Bearer hunter22", "--force"];
    run(&[&with[..], &["--folder", &into]].concat()).ends(0, &["export AUTHORIZATION"]);
    assert!(!read(&target).contains("hunter22"), "a file that is committed has no secret");

    let closed = format!("http://{}/events", crate::program::free_address());
    run(&["init", &closed, "--folder", &folder.name("none")]).ends(3, &["no response from"]);
    assert!(!folder.path("none").exists());
}

#[test]
fn access_is_checked_if_there_are_credentials() {
    let served = serve(Some("id-as-credentials"));
    let url = served.url.replace("/events", "/private");
    let folder = Folder::new();
    let target = folder.write(
        "t.yaml",
        "headers: { Authorization: Bearer ada }\nother: { headers: { Authorization: Bearer bob } }\n",
    );
    let ran = run(&["check", &url, "--target", &target, "--only", "auth/*"]);
    ran.ends(1, &["✗ auth/resume-authorised", "auth/other-user", "1 must broken"]);
}

#[test]
fn an_origin_that_is_named_must_be_admitted() {
    let (served, folder) = (serve(None), Folder::new());
    let only = ["--only", "cors/*", "--origin", "https://app.example"];
    quick(&served, &folder, &only).ends(1, &["✗ cors/allow-origin", "admits no other origin"]);
    quick(&served, &folder, &only[..2]).ends(0, &["✓"]);
    quick(&served, &folder, &["--origin", "app.example"]).ends(2, &["without a path"]);
}
