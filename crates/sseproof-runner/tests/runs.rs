//! Every kind of step, holding and failing, against a server in memory with a paused clock.

mod lab;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::pin::pin;

use sseproof_runner::{Outcome, run};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a test file")
        .map(|entry| entry.expect("a test file").path())
        .collect();
    files.sort();
    files
}

async fn play(path: &Path) -> Outcome {
    let name = path.file_name().expect("a test file").to_str().expect("a test file");
    let source = std::fs::read_to_string(path).expect("a test file");
    let scenario = lab::scenario(name, &source);
    let never = pin!(std::future::pending());
    run(&scenario, &lab::target(), &lab::client(), 1, &mut |_| {}, never).await
}

#[tokio::test(start_paused = true)]
async fn what_should_hold_holds() {
    for path in files("holds") {
        let outcome = play(&path).await;
        assert_eq!(outcome.failures, [], "{}", path.display());
        assert_eq!(outcome.stopped, None, "{}", path.display());
    }
}

#[tokio::test(start_paused = true)]
async fn what_should_fail_fails_with_evidence() {
    let mut shown = String::new();
    for path in files("fails") {
        let outcome = play(&path).await;
        assert_eq!(outcome.stopped, None, "{}", path.display());
        let [failure] = outcome.failures.as_slice() else {
            panic!("{} holds", path.display());
        };
        let (file, line, column) = (&failure.file, failure.line, failure.column);
        writeln!(shown, "{file}:{line}:{column}: {}", failure.message).unwrap();
        for line in failure.step.lines() {
            writeln!(shown, "    {line}").unwrap();
        }
        for seen in &failure.seen {
            writeln!(shown, "  {seen}").unwrap();
        }
        let of = failure.connection.as_deref().unwrap_or("-");
        writeln!(shown, "  {:?}, exchange {:?} ({of})\n", failure.kind, failure.exchange).unwrap();
    }
    insta::assert_snapshot!("failures", shown);
}
