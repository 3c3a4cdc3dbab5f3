//! The binary: arguments, exit codes, files, messages.

mod cases;
#[cfg(unix)]
mod ci;
mod deploy;
mod docs;
mod evidence;
mod inert;
#[cfg(unix)]
mod lifetime;
mod load;
mod messages;
mod program;
mod shards;
mod shells;

use program::{Folder, finish, run, run_with_input, sseproof};

const HOLDS: &str = include_str!("holds.yaml");

#[test]
fn checks_and_small_commands() {
    cases::play(include_str!("check.yaml"));
}

#[test]
fn habits() {
    cases::play(include_str!("habits.yaml"));
}

#[test]
fn the_rows_of_lists_are_lines() {
    for list in ["rules", "requirements", "mutants", "probes", "plans", "profiles"] {
        let ran = run(&["list", list]);
        ran.ends(0, &[]);
        let (head, rows) = ran.out.split_once('\n').unwrap();
        assert!(rows.lines().count() > 5, "{list}");
        // The first word is the id: a wrapped line would begin with a space.
        assert!(rows.lines().all(|row| !row.starts_with(' ')), "{list}: {head}");
    }
}

#[test]
fn evidence() {
    cases::play(include_str!("evidence.yaml"));
}

#[test]
fn results_in_ci_systems() {
    cases::play(include_str!("ci.yaml"));
}

#[test]
fn secrets() {
    cases::play(include_str!("secrets.yaml"));
}

#[test]
fn transport() {
    cases::play(include_str!("transport.yaml"));
}

#[test]
fn load() {
    cases::play(include_str!("load.yaml"));
}

#[cfg(unix)]
#[test]
fn clients() {
    cases::play(include_str!("clients.yaml"));
}

#[cfg(unix)]
#[test]
fn servers_and_parsers_that_die() {
    cases::play(include_str!("unix.yaml"));
}

#[test]
fn streams_are_parsed_from_files_and_pipes() {
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
}

#[test]
fn a_closed_standard_output_is_not_an_error() {
    let mut child = sseproof(&["list", "mutants"]).spawn().unwrap();
    drop(child.stdout.take());
    finish(child).ends(0, &[]);
}
