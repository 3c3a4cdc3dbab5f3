//! `sseproof load` by several processes, whose results meet in a folder, and `sseproof merge` of it.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::fs;
use std::process::{Child, Command};

use crate::program::{Folder, Ran, Served, finish, run, serve, sseproof};

const QUICK: [&str; 8] = ["-c", "20", "--ramp", "300ms", "--plateaus", "1", "--hold", "1500ms"];

fn server() -> Served {
    serve(&["--load"])
}

/// A load of this server, which leaves its result in this place.
fn load(server: &Served, place: &str, more: &[&str]) -> Command {
    let url = format!("{}?every=200ms", server.url);
    let mut command = sseproof(&["load", &url]);
    command.args(QUICK).args(["--results", place]).args(more);
    command
}

fn started(mut command: Command) -> Child {
    command.spawn().unwrap()
}

fn ran(command: Command) -> Ran {
    finish(started(command))
}

#[test]
fn shards_meet_in_a_folder_and_their_results_are_merged() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    let shards = [0, 1, 2].map(|index| {
        let mut command = load(&server, &place, &["--shards", "3"]);
        command.env("JOB_COMPLETION_INDEX", index.to_string());
        started(command)
    });
    for shard in shards {
        finish(shard).ends(0, &["the start is in", "■ SSE"]);
    }
    let merged = run(&["merge", &place, "--fail-if", "streams < 20"]);
    // A busy machine makes the generator late, which says nothing about the sum.
    assert!(merged.out.contains("20 clients") && !merged.out.contains("missing"), "{merged:?}");
    assert!(!merged.out.contains("clocks"), "one machine has one clock: {merged:?}");
    let again = load(&server, &place, &["--shard", "1/3"]);
    ran(again).ends(2, &["has a run that began at", "another run needs another place"]);
}

#[test]
fn a_shard_that_never_starts_is_named() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    let more = ["--shard", "0/3", "--start-within", "1s"];
    ran(load(&server, &place, &more)).ends(3, &["2 shards not ready within 1 s: 1 to 2"]);
    // Those that come when others have given up do not begin without them.
    let late =
        [1, 2].map(|index| started(load(&server, &place, &["--shard", &format!("{index}/3")])));
    for shard in late {
        finish(shard).ends(3, &["this run was given up", "1 to 2 (counted from 0)"]);
    }
    run(&["merge", &place]).ends(2, &["there is no result to merge"]);
}

#[test]
fn a_shard_of_another_plan_or_count_is_refused() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    let first = started(load(&server, &place, &["--shard", "0/2", "--start-within", "1s"]));
    finish(first).ends(3, &["1 shard not ready"]);
    // As if it still waited.
    fs::remove_file(folder.path("run/start/round-1-sse.json")).unwrap();
    let other = load(&server, &place, &["--shard", "1/2", "--seed", "7"]);
    ran(other).ends(2, &["shard 0 in", "of another run: the fingerprint of plan and version"]);
    let other = load(&server, &folder.name("other"), &["--shard", "1/2", "--start-within", "1s"]);
    ran(other).ends(3, &[]);
    fs::remove_file(folder.path("other/start/round-1-sse.json")).unwrap();
    let count = load(&server, &folder.name("other"), &["--shard", "2/3"]);
    ran(count).ends(2, &["of another run: the number of shards is 2 there and 3 here"]);
}

/// The intervals that a shard has stored until it was killed are counted, and the run does not pass.
#[test]
fn what_a_killed_shard_has_stored_is_counted() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    let at = ["--shard", "0/4", "--start-at", "+4s"];
    ran(load(&server, &place, &at)).ends(0, &["■ SSE"]);
    let result = fs::read_to_string(folder.path("run/results/0-of-4.json")).unwrap();
    // As shard 1 would have left it, one file after the other.
    let stored = result
        .replace(r#""index":0,"of":4,"complete":true"#, r#""index":1,"of":4,"complete":false"#);
    assert_ne!(stored, result);
    let measured = folder.path("run/measured/1-of-4/round-1-sse");
    fs::create_dir_all(&measured).unwrap();
    for name in ["000000.json", "000001.json"] {
        fs::write(measured.join(name), &stored).unwrap();
    }
    let mark = fs::read_dir(folder.path("run/ready/round-1-sse")).unwrap().next().unwrap().unwrap();
    let name = mark.file_name().into_string().unwrap().replacen('0', "2", 1);
    fs::copy(mark.path(), mark.path().with_file_name(name)).unwrap();
    run(&["merge", &place]).ends(
        1,
        &[
            "15 clients",
            "cut short: part 2 of 4 did not come to its end",
            "missing: parts 3 to 4 of 4",
            "shard 1 left no result",
            "shard 2 was ready",
            "never ready: shard 3 of 4",
        ],
    );
}

#[test]
fn a_result_that_the_store_does_not_take_is_kept_on_this_machine() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    fs::create_dir(&place).unwrap();
    folder.write("run/results", "a file where a folder has to be");
    let mut command = load(&server, &place, &[]);
    command.current_dir(folder.path(""));
    let said = ["the result is not in the store, but in ./sseproof-results-0-of-1.json", "■ SSE"];
    ran(command).ends(3, &said);
    let kept = folder.name("sseproof-results-0-of-1.json");
    assert!(run(&["merge", &kept]).out.contains("20 clients"));
}

#[test]
fn a_late_start_is_said_and_not_shifted() {
    let (server, folder) = (server(), Folder::new());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let start = |ago: u64| {
        let at = jiff::Timestamp::from_second((now.as_secs() - ago) as i64).unwrap().to_string();
        ran(load(&server, &folder.name(&format!("{ago}")), &["--start-at", &at]))
    };
    start(1).ends(1, &["late: what was due until then, came later", "20 clients"]);
    start(60).ends(2, &["ago, and the plan does not last as long"]);
}

#[test]
fn results_of_different_versions_are_refused() {
    let (server, folder) = (server(), Folder::new());
    let place = folder.name("run");
    for index in ["0/2", "1/2"] {
        let at = ["--shard", index, "--start-at", "2026-11-29T12:00:00Z"];
        ran(load(&server, &place, &at)).ends(2, &["the start was"]);
        ran(load(&server, &folder.name(&index[..1]), &["--shard", index, "--start-at", "+0s"]));
    }
    let (one, other) = ("0/results/0-of-2.json", "1/results/1-of-2.json");
    let text = fs::read_to_string(folder.path(other)).unwrap();
    let version = format!("sseproof {}", env!("CARGO_PKG_VERSION"));
    fs::write(folder.path(other), text.replace(&version, "sseproof 0.1.0")).unwrap();
    run(&["merge", &folder.name(one), &folder.name(other)])
        .ends(2, &["are not of the same run: the version is", "sseproof 0.1.0"]);
}

#[test]
fn a_place_has_a_store_that_this_program_knows() {
    let server = server();
    ran(load(&server, "ftp://host/run", &[])).ends(2, &["s3://…, gs://…, az://… or file:///…"]);
    run(&["merge", "file:///nothing/is/here"]).ends(2, &["has no results of `sseproof load"]);
    if !cfg!(feature = "object-store") {
        ran(load(&server, "s3://bucket/run", &[]))
            .ends(2, &["built without object stores", "--features object-store"]);
    }
}
