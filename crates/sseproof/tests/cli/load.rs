//! `sseproof load` with what a case of `load.yaml` cannot describe: workers and servers that end.

use std::io::{Read as _, Write as _};

use crate::program::{Folder, answering, finish, read, run, serve, sseproof, unhindered};

const QUICK: [&str; 9] =
    ["load", "-c", "20", "--ramp", "300ms", "--plateaus", "1", "--hold", "1500ms"];

fn quick(more: &[&str]) -> crate::program::Ran {
    let mut arguments = QUICK.to_vec();
    arguments.extend(more);
    unhindered(|| run(&arguments))
}

/// The worker is named, what the other one measured is shown, and nothing passes.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_that_dies_is_named_and_nothing_passes() {
    let mut arguments = QUICK.to_vec();
    arguments.extend(["--processes", "2", "--fail-if", "lost > 0"]);
    let load = sseproof(&arguments).spawn().unwrap();
    let worker = worker_of(load.id());
    let killed = std::process::Command::new("kill").args(["-KILL", &worker]).status().unwrap();
    assert!(killed.success());
    finish(load).ends(1, &["of 2 died: signal: 9", "■ SSE", "inconclusive"]);
}

/// Every user of a machine can read the arguments of all processes.
#[cfg(target_os = "linux")]
#[test]
fn a_worker_has_no_secret_in_its_arguments() {
    let mut arguments = QUICK.to_vec();
    arguments.extend(["--processes", "2", "-H", "Authorization: Bearer of-a-user"]);
    let load = sseproof(&arguments).spawn().unwrap();
    let worker = worker_of(load.id());
    let line = std::fs::read_to_string(format!("/proc/{worker}/cmdline")).unwrap();
    assert!(!line.contains("of-a-user") && !line.contains("--processes"), "{line}");
    let ran = finish(load);
    assert!(ran.out.contains("· 20 clients ·"), "{ran:?}");
}

#[test]
fn the_page_of_metrics_has_no_secret() {
    let address = crate::program::free_address();
    let listen = address.to_string();
    let server = serve(&["--load"]);
    let url = format!("{}?token=of-the-query&every=50ms", server.url);
    let load = ["load", &url, "-c", "2", "--hold", "60s"];
    let more = ["-H", "Authorization: Bearer of-a-user", "--prometheus", &listen];
    let mut load = sseproof(&[&load[..], &more].concat()).spawn().unwrap();
    let page = loop {
        let mut page = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(address) {
            let request = b"GET /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
            stream.write_all(request).unwrap();
            stream.read_to_string(&mut page).unwrap();
        }
        if page.contains("sseproof_load_events_total") {
            break page;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    load.kill().unwrap();
    load.wait().unwrap();
    assert!(!page.contains("of-the-query") && !page.contains("of-a-user"), "{page}");
    assert!(!page.contains("redacted"), "{page}");
}

/// The process of a worker of this load, as soon as there is one.
#[cfg(target_os = "linux")]
fn worker_of(load: u32) -> String {
    let is_worker = |id: &&str| {
        std::fs::read_to_string(format!("/proc/{id}/cmdline"))
            .is_ok_and(|line| line.contains("--task"))
    };
    loop {
        let threads = std::fs::read_dir(format!("/proc/{load}/task")).into_iter().flatten();
        let children: String = threads
            .flatten()
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .collect();
        if let Some(worker) = children.split_whitespace().find(is_worker) {
            return worker.to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// If a file cannot be written, the report is printed and other files are written.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_only_its_own_file() {
    let folder = Folder::new();
    let csv = folder.name("r.csv");
    quick(&["--json", "/dev/full", "--csv", &csv])
        .ends(2, &["■ SSE", "delivery", "cannot write --json /dev/full: No space left on device"]);
    assert!(read(&csv).contains("delivery"));
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
fn a_protocol_has_a_default_request() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
        data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: [DONE]\n\n";
    let asked = |objective: &str, seen: &[&str]| {
        let (url, requests) = answering(answer);
        let load =
            ["load", &url, "--profile", "openai-chat", "--rate", "20", "--duration", "200ms"];
        let more = ["--var", "prompt=Why?", "--objective", objective];
        unhindered(|| run(&[&load[..], &more].concat())).ends(0, seen);
        // The first connection only checks whether the server can be reached.
        requests.iter().find(|request| !request.is_empty()).unwrap()
    };
    let request = asked(
        "ttft < 1m",
        &["4 of 4 (100%)", "4 of 4 requests completed, 4 (100%) with ttft < 1 min"],
    );
    assert!(request.starts_with("POST /events HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nContent-Type: application/json\r\n"), "{request}");
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["stream"], &body["messages"][0]["content"]), (&true.into(), &"Why?".into()));
    asked("ttft < 1ns", &["4 of 4 (100%)", "4 of 4 requests completed, 0 (0%) with ttft < 1 ns"]);
}

/// The servers of other processes share the port, and end with the first one, whatever ends that.
#[cfg(target_os = "linux")]
#[test]
fn a_load_server_of_several_processes_is_one_server() {
    let server = serve(&["--load", "--processes", "3"]);
    let address = server.url.trim_start_matches("http://").trim_end_matches("/events").to_owned();
    let id = server.id().to_string();
    let load = ["--url", &server.url, "--server-pid", &id, "-v"];
    quick(&load).ends(0, &["20 requested, and all got a stream"]);
    drop(server);
    let is_free = || std::net::TcpListener::bind(&address).is_ok();
    while !is_free() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
