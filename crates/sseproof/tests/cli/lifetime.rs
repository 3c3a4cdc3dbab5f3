//! Servers that start late, are started, or die, and runs that are interrupted.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::program::{Folder, accepting, finish, free_address, read, run, sseproof};

const BINARY: &str = env!("CARGO_BIN_EXE_sseproof");

const ONE: &str = "scenario: one\nsteps:\n  - connect: {}\n  - expect: { event: {}, within: 3s }\n";

#[test]
fn init_starts_the_server_and_says_so_in_the_file() {
    let (folder, address) = (Folder::new(), free_address());
    let url = format!("http://{address}/events");
    let start = format!("{BINARY} serve --listen {address} --mutant latin1-payload");
    let project = folder.name("project");
    run(&["init", &url, "--start", &start, "--folder", &project])
        .ends(0, &["✗ stream/utf8", "wrote "]);
    let target = read(folder.path("project/sseproof.yaml"));
    assert!(target.contains(&format!("\nstart: \"{start}\"\n")), "{target}");
    let workflow = read(folder.path("project/.github/workflows/sse.yml"));
    assert!(workflow.contains("sseproof.yaml says how to start it"), "{workflow}");
    let (target, known) =
        (folder.name("project/sseproof.yaml"), folder.name("project/sseproof.known.yaml"));
    run(&["check", "--target", &target, "--known", &known, "--only", "stream/*"])
        .ends(0, &["passed", "known to fail 1: "]);
}

#[test]
fn a_served_request_is_logged_with_its_end() {
    let mut server = sseproof(&["serve"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap();
    let folder = Folder::new();
    let one = folder.write(
        "one.yaml",
        "scenario: one\nsteps:\n  - connect: { path: \"/events?token=hunter22\" }\n  - read: { events: 2 }\n  - drop: {}\n  - reconnect: {}\n  - expect: { event: {} }\n",
    );
    run(&["check", url, &one, "--no-probes", "--only", "response/*"]).ends(0, &["✓"]);
    run(&["check", url, &one, "--no-probes", "--only", "response/*", "--http", "2"])
        .ends(0, &["✓"]);
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut all = String::new();
    // The last line of the last of four requests.
    while !all.contains("#4 GET /events?token=redacted: the client disconnected after ") {
        all.push_str(&(log.next().unwrap() + "\n"));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!all.contains("hunter22"), "{all}");
    let first = all.lines().next().unwrap();
    let (time, request) = first.split_once(' ').unwrap();
    assert!(time.len() == "2026-11-29T20:11:12.345Z".len() && time.ends_with('Z'), "{first}");
    assert_eq!(request, "#1 GET /events?token=redacted");
    for number in [2, 4] {
        let begun = format!(" #{number} GET /events?token=redacted, Last-Event-ID ");
        assert!(all.contains(&begun), "{begun}: {all}");
    }
}

#[test]
fn a_server_may_come_late() {
    let address = free_address();
    let url = format!("http://{address}/events");
    let folder = Folder::new();
    let one = folder.write("one.yaml", ONE);
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(600));
        let listen = address.to_string();
        sseproof(&["serve", "--listen", &listen]).stderr(Stdio::null()).spawn().unwrap()
    });
    run(&["check", &url, &one, "--no-probes", "--wait-for", "20s"]).ends(0, &["✓"]);
    let mut server = late.join().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_started_server_is_checked_and_stopped_with_its_children() {
    let address = free_address();
    let url = format!("http://{address}/events");
    let folder = Folder::new();
    let one = folder.write("one.yaml", ONE);
    // The shell stays as the parent of the server, and of a process that ignores SIGTERM.
    let script = folder.write(
        "start.sh",
        &format!(
            "sh -c 'trap \"\" TERM; sleep 60 & echo $! >{}; wait' &\n'{BINARY}' serve --listen {address} &\nwait\n",
            folder.name("pid")
        ),
    );
    let start = format!("sh {script}");
    run(&["check", &url, &one, "--no-probes", "--start", &start]).ends(0, &["✓"]);
    assert!(TcpStream::connect(address).is_err(), "the server is gone");
    let pid = read(folder.path("pid"));
    assert!(!is_running(pid.trim()), "the child {pid} is gone");
}

/// Whether the process runs; one that only waits to be reaped does not.
fn is_running(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    state.is_ok_and(|state| !state.stdout.is_empty() && !state.stdout.starts_with(b"Z"))
}

#[test]
fn an_interrupted_run_keeps_what_it_has() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let folder = Folder::new();
        let (json, recording) = (folder.name("r.json"), folder.name("r.jsonl"));
        let long =
            folder.write("long.yaml", "scenario: long\nsteps:\n  - connect: {}\n  - wait: 60s\n");
        let arguments = ["check", &long, "--no-probes", "--json", &json, "--record", &recording];
        let child = sseproof(&arguments).spawn().unwrap();
        thread::sleep(Duration::from_millis(1_500));
        let pid = child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        finish(child).ends(130, &["inconclusive", "interrupted", "1 exchange"]);
        assert!(read(&json).contains("\"interrupted\""));
        run(&["check", "--replay", &recording, "--only", "stream/utf8"]).ends(0, &["✓ passed"]);
    }
}

/// A server with a child; neither ends on SIGTERM. The child writes its id when the server is started.
struct Stubborn {
    folder: Folder,
    address: SocketAddr,
}

impl Stubborn {
    fn new() -> Self {
        Self { folder: Folder::new(), address: free_address() }
    }

    /// The command that starts it.
    fn command(&self, more: &str) -> String {
        let script = format!(
            "trap '' TERM\nsh -c 'sleep 60 & echo $! >{}; wait' &\n'{BINARY}' serve --listen {} {more}\nwait\n",
            self.folder.name("pid"),
            self.address
        );
        format!("sh {}", self.folder.write("start.sh", &script))
    }

    fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// Sends the signals to a run once it has begun to use the server.
    fn signal(&self, run: &mut Child, signals: &[&str]) {
        let is_up = || TcpStream::connect(self.address).is_ok();
        while !(self.folder.path("pid").exists() && is_up()) {
            let ended = run.try_wait();
            assert!(matches!(ended, Ok(None)), "the run ended before its server: {ended:?}");
            thread::sleep(Duration::from_millis(20));
        }
        // A run that is interrupted before its first exchange has nothing to report.
        thread::sleep(Duration::from_millis(1_500));
        for signal in signals {
            let sent = Command::new("kill").args([*signal, &run.id().to_string()]).status();
            assert!(sent.is_ok_and(|status| status.success()));
            thread::sleep(Duration::from_millis(700));
        }
    }

    fn assert_is_gone(&self) {
        assert!(TcpStream::connect(self.address).is_err(), "the server is gone");
        let pid = read(self.folder.path("pid"));
        assert!(!is_running(pid.trim()), "the child {pid} is gone");
    }
}

#[test]
fn a_signal_stops_a_started_server_with_its_group() {
    for signals in [&["-INT"][..], &["-TERM"], &["-HUP"], &["-INT", "-INT"], &["-HUP", "-TERM"]] {
        let server = Stubborn::new();
        let long = "scenario: long\nsteps:\n  - connect: {}\n  - wait: 60s\n";
        let (url, long) = (server.url(), server.folder.write("long.yaml", long));
        let start = server.command("");
        let check = ["check", &url, &long, "--no-probes", "--start", &start];
        let mut check = sseproof(&check).spawn().unwrap();
        server.signal(&mut check, signals);
        // The second signal ends the run without a report.
        let says = if signals.len() == 1 { &["inconclusive", "interrupted"][..] } else { &[] };
        finish(check).ends(130, says);
        server.assert_is_gone();
    }
}

#[test]
fn a_signal_stops_the_server_and_the_workers_of_a_load() {
    for (signals, processes) in [(&["-TERM"][..], "1"), (&["-INT"], "2"), (&["-INT", "-TERM"], "2")]
    {
        let server = Stubborn::new();
        let (url, json) = (server.url(), server.folder.name("r.json"));
        let start = server.command("--load");
        let load = ["load", &url, "--server-cmd", &start, "-c", "5", "--hold", "60s"];
        let more = ["--processes", processes, "--json", &json];
        let mut load = sseproof(&[&load[..], &more].concat()).spawn().unwrap();
        server.signal(&mut load, signals);
        let is_reported = signals.len() == 1;
        let says = if is_reported { &["a part of the run is missing"][..] } else { &[] };
        finish(load).ends(130, says);
        assert_eq!(server.folder.path("r.json").exists(), is_reported);
        server.assert_is_gone();
    }
}

#[test]
fn a_reader_that_closes_its_pipe_changes_no_exit_code() {
    let quick = ["load", "-c", "5", "--ramp", "100ms", "--plateaus", "1", "--hold", "300ms"];
    // A load is inconclusive on a machine that is too slow for it.
    for (arguments, codes) in [(&["check", "--only", "response/*"][..], 0..=0), (&quick, 0..=1)] {
        let folder = Folder::new();
        let json = folder.name("r.json");
        let mut child = sseproof(&[arguments, &["--json", &json]].concat()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = finish(child);
        assert!(
            ran.code.is_some_and(|code| codes.contains(&code)) && ran.err.is_empty(),
            "{ran:?}"
        );
        assert!(read(&json).ends_with("}\n"), "{arguments:?}");
    }
}

/// With few descriptors, clients that ask for nothing do not keep out the others.
#[cfg(target_os = "linux")]
#[test]
fn a_server_without_descriptors_answers_all_the_same() {
    let mut shell = Command::new("sh");
    let command = format!("ulimit -n 100; exec '{BINARY}' serve --listen 127.0.0.1:0");
    let mut server = shell.args(["-c", &command]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').nth(1).unwrap().to_owned();
    let connect = || TcpStream::connect(&address).unwrap();
    let idle: Vec<_> = (0..150).map(|_| connect()).collect();
    let mut client = connect();
    client.write_all(b"GET /active HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut answer = [0; 15];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    drop(idle);
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn an_endless_line_ends_the_check_and_is_no_success() {
    let address = accepting(|mut stream| {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        let piece = vec![b'x'; 64 << 10];
        let mut written = stream.write_all(head);
        while written.is_ok() {
            written = stream.write_all(&piece);
        }
    });
    let url = format!("http://{address}/events");
    run(&["check", &url]).ends(1, &["inconclusive", "no event", "stream/line-length"]);
}
