//! `sseproof load`, against the embedded server in a process of its own.

use crate::program::{Folder, answering, finish, read, run, sseproof};

const QUICK: [&str; 9] =
    ["load", "-c", "20", "--ramp", "300ms", "--plateaus", "1", "--hold", "1500ms"];

fn quick(more: &[&str]) -> crate::program::Ran {
    let mut arguments = QUICK.to_vec();
    arguments.extend(more);
    run(&arguments)
}

#[test]
fn a_load_of_nothing_compares_both_transports() {
    let folder = Folder::new();
    let names = ["r.json", "r.csv", "r.md", "r.hlog"].map(|name| folder.name(name));
    let [json, csv, markdown, hlog] = names.each_ref().map(String::as_str);
    let ran = quick(&[
        "--fail-if",
        "lost > 0",
        "--fail-if",
        "errors > 0",
        "--json",
        json,
        "--csv",
        csv,
        "--markdown",
        markdown,
        "--hlog",
        hlog,
    ]);
    ran.ends(0, &["■ SSE", "■ WebSocket", "delivery", "0 lost"]);
    let value: serde_json::Value = serde_json::from_str(&read(json)).unwrap();
    assert_eq!(value["format"], "sseproof load 1");
    assert_eq!(value["outcomes"].as_array().map(Vec::len), Some(2));
    assert!(read(csv).contains("delivery"));
    assert!(read(markdown).contains("delivery"));
    assert!(read(hlog).contains("Tag="));
}

#[test]
fn a_threshold_that_is_crossed_fails() {
    quick(&["--fail-if", "delivery.p50 > 1ns"]).ends(1, &["✗ delivery.p50 > 1ns"]);
}

/// The kernel accepts the connections, and no response ever comes.
#[test]
fn clients_that_hang_are_counted_and_the_run_does_not_pass() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let hang = ["load", &url, "-c", "3", "--ramp", "100ms", "--plateaus", "1", "--hold", "300ms"];
    let said = "3 of 3 connected, but got no response headers (waited 1.";
    run(&hang).ends(1, &["! 3 of 3 clients never got a stream", said, "? inconclusive: 3 of 3"]);
}

#[test]
fn workers_play_one_plan_together() {
    let folder = Folder::new();
    let json = folder.name("r.json");
    quick(&["--processes", "2", "--json", &json]).ends(0, &["20 requested, and all got a stream"]);
    let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
    let shards = value["outcomes"][0]["run"]["shards"].as_array().unwrap();
    let complete = shards.iter().filter(|shard| shard["complete"] == true).count();
    assert_eq!((shards.len(), complete), (2, 2));
}

/// The worker is named, what the other one measured is shown, and nothing passes.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_dies_is_named_and_nothing_passes() {
    let mut arguments = QUICK.to_vec();
    arguments.extend(["--processes", "2", "--fail-if", "lost > 0"]);
    let load = sseproof(&arguments).spawn().unwrap();
    let worker = loop {
        if let Some(worker) = workers_of(load.id()).first() {
            break worker.clone();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let killed = std::process::Command::new("kill").args(["-KILL", &worker]).status().unwrap();
    assert!(killed.success());
    finish(load).ends(1, &["of 2 died: signal: 9", "■ SSE", "inconclusive"]);
}

#[cfg(target_os = "linux")]
fn workers_of(process: u32) -> Vec<String> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    let children = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let children: String = children.collect();
    let is_worker = |id: &&str| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|line| line.contains("--task"))
    };
    children.split_whitespace().filter(is_worker).map(str::to_owned).collect()
}

/// If a file cannot be written, the report is printed and other files are written.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_only_its_own_file() {
    let folder = Folder::new();
    let csv = folder.name("r.csv");
    quick(&["--json", "/dev/full", "--csv", &csv])
        .ends(2, &["■ SSE", "delivery", "cannot write /dev/full: No space left on device"]);
    assert!(read(&csv).contains("delivery"));
}

#[test]
fn an_unreachable_server_is_reported_before_the_run() {
    quick(&["--url", "http://127.0.0.1:1/events"])
        .ends(3, &["cannot connect to http://127.0.0.1:1/"]);
}

#[test]
fn a_run_without_any_stream_proves_nothing() {
    let (url, _requests) =
        answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    quick(&["--url", &url]).ends(1, &["status 503", "no client got a stream"]);
}

#[test]
fn a_server_is_started_for_each_round_and_measured() {
    let folder = Folder::new();
    let (address, json) = (crate::program::free_address(), folder.name("r.json"));
    let command = format!("{} serve --load --listen {address}", env!("CARGO_BIN_EXE_sseproof"));
    let url = format!("http://{address}/events?every=500ms");
    quick(&["--url", &url, "--server-cmd", &command, "--json", &json]).ends(0, &["■ SSE"]);
    let value: serde_json::Value = serde_json::from_str(&read(&json)).unwrap();
    let samples = value["outcomes"][0]["resources"]["samples"].as_array().unwrap();
    assert!(samples.iter().any(|sample| sample["server"]["private"].as_u64() > Some(0)));
    quick(&["--url", &url, "--server-cmd", "false"]).ends(3, &["`false` ended"]);
}

#[test]
fn files_of_a_plan_are_relative_to_it() {
    let folder = Folder::new();
    let clients = "clients: [{ ramp: 1 }, { hold: 1s }]";
    let plan = format!("plan: x\nurl: https://127.0.0.1:1/\nca: none.pem\n{clients}\n");
    let named = folder.write("ca.yaml", &plan);
    run(&["load", &named]).ends(2, &["ca.yaml:3:5", &folder.name("none.pem")]);
    // The flag replaces the key `ca`.
    run(&["load", &named, "--insecure"]).ends(3, &["cannot connect"]);
    let plan = "plan: x\nrequests: { rate: 1/s, for: 1s, file: none.json }\n";
    let named = folder.write("body.yaml", plan);
    run(&["load", &named]).ends(2, &["cannot read the body", &folder.name("none.json")]);
}

#[test]
fn loads_that_http2_cannot_carry_are_rejected_before_the_run() {
    let url = "http://127.0.0.1:1/events";
    run(&["load", "--http", "2"]).ends(2, &["the embedded server speaks HTTP/1.1"]);
    run(&["load", "ws://127.0.0.1:1/ws", "--http", "2"]).ends(2, &["WebSockets", "HTTP/1.1"]);
    run(&["load", url, "--streams-per-connection", "9"]).ends(2, &["add --http 2"]);
    run(&["load", url, "--http", "2", "-H", "Connection: close"])
        .ends(2, &["HTTP/2 forbids the header field `Connection`"]);
    run(&["load", url, "--http", "2", "--streams-per-connection", "0"]).ends(2, &["1..=32768"]);
}

#[test]
fn limits_of_the_machine_are_checked_before_the_run() {
    let many = ["load", "-c", "3000000", "--bind", "127.0.0.2-127.0.0.200"];
    run(&many).ends(2, &["exceed the hard limit", "--processes"]);
    let ports = ["load", "-c", "60000", "--processes", "1000"];
    run(&ports).ends(2, &["ports", "--bind 127.0.0.2-127.0.0.4"]);
    run(&["load", "--proxy", "http://127.0.0.1:1"]).ends(2, &["remove --proxy"]);
    run(&["load", "nonsense"]).ends(2, &["or a ready plan", "stock-ticks"]);
    run(&["load", "--fail-if", "delivery.p99 > 5"]).ends(2, &["delivery.p99 > 5"]);
}

#[test]
fn a_protocol_has_a_default_request() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
    let asked = |objective: &str, seen: &[&str]| {
        let (url, requests) = answering(answer);
        let load =
            ["load", &url, "--profile", "openai-chat", "--rate", "20", "--duration", "200ms"];
        let more = ["--var", "prompt=Why?", "--objective", objective];
        run(&[&load[..], &more].concat()).ends(0, seen);
        // The first connection only checks whether the server can be reached.
        requests.iter().find(|request| !request.is_empty()).unwrap()
    };
    let request = asked("ttft < 1m", &["4 completed (100%)", "4 good (100%): ttft < 1 min"]);
    assert!(request.starts_with("POST /events HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nContent-Type: application/json\r\n"), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["stream"], &body["messages"][0]["content"]), (&true.into(), &"Why?".into()));
    asked("ttft < 1ns", &["4 completed (100%)", "0 good (0%): ttft < 1 ns"]);
}
