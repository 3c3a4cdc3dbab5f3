//! The messages for usual mistakes, as a user sees them.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use crate::program::{Folder, finish, sseproof};

const FILES: [(&str, &str); 4] = [
    (
        "target.yaml",
        "url: http://127.0.0.1:1/events\nheaders: { X-Key: \"${env:KEY_OF_NO_TEST}\" }\n",
    ),
    ("plan.yaml", "plan: p\nclients:\n  - ramp: { to: 10, over: 1s }\n"),
    ("wrong.yaml", "stream/utf8: { reason: x, until: soon }\n"),
    ("broken.yaml", "scenario: x\nsteps:\n  - conect: {}\n"),
];

#[test]
fn messages_read_well() {
    let folder = Folder::new();
    for (name, text) in FILES {
        folder.write(name, text);
    }
    let shown: Vec<_> =
        include_str!("messages.txt").lines().map(|line| ran(&folder, line)).collect();
    insta::assert_snapshot!("messages", shown.join("\n"));
}

/// The command, its output, and its exit code.
fn ran(folder: &Folder, line: &str) -> String {
    let words = shlex::split(line).unwrap();
    let (variables, arguments): (Vec<_>, Vec<_>) =
        words.iter().partition(|word| word.starts_with("CI="));
    let arguments: Vec<_> = arguments.into_iter().map(String::as_str).collect();
    let mut command = sseproof(&arguments);
    command.current_dir(folder.path("")).env_remove("KEY_OF_NO_TEST");
    for (name, value) in variables.iter().filter_map(|word| word.split_once('=')) {
        command.env(name, value);
    }
    let ran = finish(command.spawn().unwrap());
    format!("$ {line}\n{}{}exit code {}\n", ran.out, ran.err, ran.code.unwrap())
}
