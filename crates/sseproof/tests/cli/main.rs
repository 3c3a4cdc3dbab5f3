//! The binary: arguments, exit codes, files, messages.

mod evidence;
#[cfg(unix)]
mod lifetime;
mod load;
mod parsers;
mod program;
mod transport;

use program::{
    Folder, Served, answering, finish, free_address, read, run, run_with_input, serve, sseproof,
};

const HOLDS: &str = "\
scenario: an event arrives soon
steps:
  - connect: {}
  - expect: { event: {}, within: 5s }
";

const FAILS: &str = "\
scenario: the impossible is expected
steps:
  - connect: {}
  - expect: { event: { data: never }, within: 200ms }
";

fn quick(served: &Served, folder: &Folder, more: &[&str]) -> program::Ran {
    let scenario = folder.write("holds.yaml", HOLDS);
    let mut arguments = vec!["check", &served.url, &scenario, "--no-probes"];
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn a_check_of_nothing_is_a_check_of_the_reference_and_green() {
    run(&["check"]).ends(0, &["✓ passed", "stream/utf8"]);
}

#[test]
fn a_mutant_breaks_with_the_rule_the_byte_and_the_fix() {
    let (served, folder) = (serve(Some("latin1-payload")), Folder::new());
    let (json, junit) = (folder.name("r.json"), folder.name("r.xml"));
    let (markdown, recording) = (folder.name("r.md"), folder.name("r.jsonl"));
    let outputs =
        ["--json", &json, "--junit", &junit, "--markdown", &markdown, "--record", &recording];
    let ran = quick(&served, &folder, &outputs);
    ran.ends(1, &["✗ stream/utf8", "byte ", "fix: ", "sseproof explain stream/utf8", "1 must"]);
    let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
    assert!(value.to_string().contains("stream/utf8"));
    assert!(read(&junit).contains("<failure"));
    assert!(read(&markdown).contains("stream/utf8"));

    // The same again, and without a server.
    drop(served);
    let replayed = folder.name("replayed.json");
    run(&["check", "--replay", &recording, "--json", &replayed]).ends(1, &["✗ stream/utf8"]);
    let replayed: serde_json::Value = serde_json::from_str(&read(&replayed)).unwrap();
    assert!(value["report"]["findings"].as_array().is_some_and(|findings| findings.len() > 1));
    assert_eq!(
        replayed["report"]["findings"], value["report"]["findings"],
        "a recording gives the same verdicts"
    );
}

#[test]
fn rules_are_chosen_by_globs() {
    let (served, folder) = (serve(Some("latin1-payload")), Folder::new());
    quick(&served, &folder, &["--skip", "stream/utf8"]).ends(0, &["✓"]);
    // A list of another version can have rules that this version lacks.
    quick(&served, &folder, &["--skip", "operations/*"]).ends(1, &["stream/utf8"]);
    quick(&served, &folder, &["--only", "response/*"]).ends(0, &["✓"]);
    quick(&served, &folder, &["--only", "stream/*"]).ends(1, &["✗ stream/utf8"]);
}

#[test]
fn a_should_breaks_only_with_strict() {
    let (served, folder) = (serve(Some("no-cache-control")), Folder::new());
    let only = ["--only", "response/cache-control"];
    quick(&served, &folder, &only).ends(0, &["response/cache-control", "--strict"]);
    let strict = ["--only", "response/cache-control", "--strict"];
    quick(&served, &folder, &strict).ends(1, &["broken: 1 should"]);
}

#[test]
fn known_failures_are_accepted_until_they_are_gone() {
    let (served, folder) = (serve(Some("latin1-payload")), Folder::new());
    let known = folder.write("known.yaml", "stream/utf8: legacy tenant\n");
    quick(&served, &folder, &["--known", &known]).ends(0, &["known to fail", "legacy tenant"]);
    let stale = folder.write("stale.yaml", "stream/utf8: x\nresponse/status: long gone\n");
    quick(&served, &folder, &["--known", &stale]).ends(1, &["response/status", "stale"]);
    let wrong = folder.write("wrong.yaml", "stream/utf9: x\n");
    quick(&served, &folder, &["--known", &wrong]).ends(2, &["wrong.yaml", "matches no rule"]);
}

#[test]
fn own_scenarios_hold_and_fail_and_are_read_before_the_run() {
    let (served, folder) = (serve(None), Folder::new());
    quick(&served, &folder, &[]).ends(0, &["an event arrives soon"]);
    let fails = folder.write("fails.yaml", FAILS);
    let place = format!("{fails}:4:5");
    run(&["check", &served.url, &fails, "--no-probes"])
        .ends(1, &["the impossible is expected", &place, "never"]);
    let cut = "scenario: cut\nsteps:\n  - connect: {}\n  - expect: { status: 404 }\n  - wait: 1s\n";
    let cut = folder.write("cut.yaml", cut);
    run(&["check", &served.url, &cut, "--no-probes"]).ends(1, &["cut.yaml, 2 of 3 steps"]);
    let broken = folder.write("broken.yaml", "scenario: x\nsteps:\n  - conect: {}\n");
    let place = format!("{broken}:3:");
    run(&["check", &served.url, &broken]).ends(2, &[&place, "connect"]);
}

#[test]
fn variables_fill_scenarios() {
    let (served, folder) = (serve(None), Folder::new());
    let scenario = folder.write(
        "var.yaml",
        "scenario: v\nsteps:\n  - connect: { path: \"${where}\" }\n  - expect: { status: 200 }\n",
    );
    let arguments = ["check", &served.url, &scenario, "--no-probes"];
    let with = |more: &[&str]| run(&[arguments.as_slice(), more].concat());
    with(&["--var", "where=/events"]).ends(0, &["✓"]);
    with(&[]).ends(2, &["where"]);
    with(&["--var", "where"]).ends(2, &["--var name=value"]);
}

#[test]
fn method_headers_and_body_are_sent() {
    let (url, requests) =
        answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    let folder = Folder::new();
    let scenario = folder.write("one.yaml", "scenario: one\nsteps:\n  - connect: {}\n");
    let body = folder.write("body.json", "{\"stream\":true}");
    run(&[
        "check",
        &url,
        &scenario,
        "--no-probes",
        "-X",
        "post",
        "-d",
        &format!("@{body}"),
        "-H",
        "X-Key: abc",
    ])
    .ends(0, &["✓"]);
    let request = requests.recv().unwrap();
    assert!(request.starts_with("POST /events HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nX-Key: abc\r\n"), "{request}");
    assert!(request.ends_with("{\"stream\":true}"), "{request}");
}

#[test]
fn wrong_usage_is_reported_before_the_first_connection() {
    let folder = Folder::new();
    let text = folder.write("notes.txt", "x");
    // A connection to a free address is refused, which would be exit code 3.
    let url = format!("http://{}/", free_address());
    for (arguments, says) in [
        (&["localhost:8080"][..], "did you mean http://localhost:8080?"),
        (&[""], "is not a URL"),
        (&["gopher://x"], "`gopher` URLs cannot be checked"),
        (&[&url, "--ca", "/nonexistent/x"], "cannot read --ca /nonexistent/x"),
        (&[&url, "--ca", &text], "notes.txt has no certificate in PEM"),
        (&[&url, "--cert", &text], "--key <FILE>"),
        (&[&url, "--key", &text], "--cert <FILE>"),
        (&["http://"], "cannot read the URL"),
        (&["http://[::1"], "cannot read the URL"),
        (&["http://me:secret@x/"], "-H 'Authorization"),
        (&[&url, "http://b"], "the second URL"),
        (&[&text], "is a file, but not a scenario"),
        (&["missing.yaml"], "cannot read missing.yaml: No such file"),
        (&[&url, "--only", "nonsense"], "`nonsense` matches no rule"),
        (&[&url, "--skip", "["], "is not a valid glob"),
        (&[&url, "--no-probes"], "there is nothing to do"),
        (&[&url, "--known", "/nonexistent/x"], "cannot read --known /nonexistent/x"),
        (&[&url, "--json", "/nonexistent/x"], "cannot write --json /nonexistent/x"),
        (&[&url, "--record", "/"], "cannot write --record /"),
        (&[&url, "-X", "B AD"], "the method `B AD`"),
        (&[&url, "-H", "a b: c"], "the header name `a b`"),
        (&[&url, "-H", "nocolon"], "write it as 'Authorization: Bearer abc'"),
        (&[&url, "-d", "@/nonexistent/x"], "cannot read --body @/nonexistent/x"),
        (&[&url, "--timeout", "5"], "write 5s for seconds"),
        (&["--start", "x"], "--start needs the URL"),
        (&["--via", &url], "the URL of the stream on the server is missing"),
        (&["--active", "GET /active"], "--active needs the URL"),
        (&["--replay", "/nonexistent/x"], "cannot read --replay /nonexistent/x"),
        (&["--replay", &text], "`sseproof check --record FILE`"),
        (&["--replay", &text, &url], "cannot be used with"),
        (&["--quiet", "--verbose"], "cannot be used with"),
    ] {
        run(&[&["check"], arguments].concat()).ends(2, &[says]);
    }
    assert!(!folder.path("x").exists());
}

#[test]
fn a_file_that_is_only_tried_is_not_left_behind_nor_emptied() {
    let folder = Folder::new();
    let (fresh, old) = (folder.name("fresh.json"), folder.write("old.json", "old"));
    let url = format!("http://{}/", free_address());
    let outputs = ["check", &url, "--json", &fresh, "--junit", &old, "--record", "/nonexistent/x"];
    run(&outputs).ends(2, &["/nonexistent/x"]);
    assert!(!folder.path("fresh.json").exists());
    assert_eq!(read(&old), "old");
}

#[test]
fn a_server_that_is_not_there_is_no_verdict() {
    let url = format!("http://{}/events", free_address());
    let folder = Folder::new();
    let json = folder.name("r.json");
    run(&["check", &url, "--json", &json]).ends(3, &["no connection", "refused"]);
    assert!(read(&json).contains("\"partial\""), "the report is written");
    run(&["check", "http://sseproof.invalid/"]).ends(3, &["the host has no address"]);
}

#[test]
fn streams_are_parsed_from_files_pipes_and_servers() {
    let folder = Folder::new();
    let stream = "id: 1\ndata: one\n\n: hello\nretry: x\ndata: lost";
    let file = folder.write("stream.txt", stream);
    let ran = run(&["parse", &file]);
    ran.ends(0, &["\"one\"", "hello"]);
    for line in ran.out.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(run_with_input(&["parse", "-"], stream.as_bytes()).out, ran.out);
    assert_eq!(run_with_input(&["parse"], stream.as_bytes()).out, ran.out);
    run(&["parse", "/nonexistent"]).ends(2, &["cannot open /nonexistent"]);

    let (url, _requests) = answering(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: one\n\n",
    );
    run(&["parse", &url]).ends(0, &["\"one\""]);
    let (url, _requests) = answering(
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
    );
    run(&["parse", &url]).ends(1, &["is not an event stream: status 404, text/html"]);
    let gone = format!("http://{}/", free_address());
    run(&["parse", &gone]).ends(3, &["refused"]);
}

#[test]
fn rules_are_explained_and_all_is_listed() {
    run(&["explain", "stream/utf8"]).ends(0, &["stream/utf8", "UTF-8"]);
    run(&["explain", "utf8"]).ends(2, &["did you mean stream/utf8?"]);
    run(&["explain", "nonsense"]).ends(2, &["sseproof list rules"]);
    run(&["list", "rules"]).ends(0, &["stream/utf8", "must"]);
    run(&["list", "requirements"]).ends(0, &["whatwg-sse/utf8"]);
    run(&["list", "mutants"]).ends(0, &["latin1-payload"]);
    run(&["list", "probes"]).ends(0, &["baseline"]);
    run(&["list", "nonsense"]).ends(2, &["mutants"]);
    run(&["serve", "--mutant", "nonsense"]).ends(2, &["sseproof list mutants"]);
    run(&["serve", "--listen", "nonsense"]).ends(2, &["cannot listen on nonsense"]);
    run(&[]).ends(2, &["Usage"]);
    run(&["check", "--help"]).ends(0, &["Examples:", "Exit codes:"]);
}

#[test]
fn a_closed_standard_output_is_not_an_error() {
    let mut child = sseproof(&["list", "mutants"]).spawn().unwrap();
    drop(child.stdout.take());
    finish(child).ends(0, &[]);
}

#[test]
fn no_color_is_obeyed() {
    let mut command = sseproof(&["explain", "stream/utf8"]);
    command.env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1");
    finish(command.spawn().unwrap()).ends(0, &["stream/utf8"]);
}
