//! The files of `deploy/`: each command has right arguments, and the numbers of shards agree.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Folder, read, run, sseproof};

fn file(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    root.join("deploy").join(name)
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&read(file(name))).unwrap()
}

fn json(name: &str) -> Value {
    serde_json::from_str(&read(file(name))).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    let texts = list.as_array().unwrap().iter();
    texts.map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// `--help` at the end shows the help only if all arguments before it are right.
fn parses(place: &str, words: &[String]) {
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    words.push("--help");
    let ran = run(&words);
    assert_eq!(ran.code, Some(0), "{place}: {words:?}: {}", ran.err);
}

#[test]
fn the_jobs_of_kubernetes_have_right_arguments() {
    let arguments = |job: &Value| words(&job["spec"]["template"]["spec"]["containers"][0]["args"]);
    let load = yaml("kubernetes/load.yaml");
    let merge = yaml("kubernetes/merge.yaml");
    for (place, job) in [("load.yaml", &load), ("merge.yaml", &merge)] {
        parses(place, &arguments(job));
    }
    let shards = load["spec"]["completions"].as_u64().unwrap();
    assert_eq!(load["spec"]["parallelism"].as_u64(), Some(shards));
    assert!(arguments(&load).contains(&format!("--shards={shards}")));
    let place =
        arguments(&load).iter().find_map(|word| word.strip_prefix("--results=").map(str::to_owned));
    assert_eq!(arguments(&merge).get(1), place.as_ref());
}

#[test]
fn the_plan_of_kubernetes_can_be_read() {
    let plan = yaml("kubernetes/plan.yaml");
    let folder = Folder::new();
    folder.write("plan.yaml", plan["data"]["plan.yaml"].as_str().unwrap());
    let mut lint = sseproof(&["lint", "plan.yaml"]);
    lint.current_dir(folder.path(""));
    crate::program::finish(lint.spawn().unwrap()).ends(0, &[]);
}

#[test]
fn the_jobs_of_aws_batch_have_right_arguments() {
    let definition = json("aws-batch/job-definition.json");
    let load = json("aws-batch/submit-load.json");
    // The parameters of a job have precedence over those of its definition.
    let filled = |word: String| match word.strip_prefix("Ref::") {
        None => word,
        Some(name) => {
            let given =
                [&load, &definition].into_iter().find_map(|of| of["parameters"][name].as_str());
            given.unwrap_or_else(|| panic!("no parameter {name}")).to_owned()
        }
    };
    let command = words(&definition["containerProperties"]["command"]);
    let command: Vec<_> = command.into_iter().map(filled).collect();
    parses("job-definition.json", &command);
    let merge = json("aws-batch/submit-merge.json");
    parses("submit-merge.json", &words(&merge["containerOverrides"]["command"]));
    let shards = load["arrayProperties"]["size"].as_u64().unwrap().to_string();
    assert!(command.windows(2).any(|pair| pair == ["--shards", &shards]), "{command:?}");
}

#[test]
fn the_scripts_for_slurm_have_right_arguments() {
    for (name, given) in [
        ("array.sh", "plan.yaml --results s3://load-results/run-1"),
        ("together.sh", "plan.yaml --results s3://load-results/run-1"),
        ("merge.sh", "s3://load-results/run-1"),
    ] {
        let script = read(file(&format!("slurm/{name}")));
        let command = script.lines().find_map(|line| {
            line.starts_with("exec ").then(|| line.split_once("sseproof ").unwrap().1)
        });
        let command = command.unwrap().replace(r#""$@""#, given);
        parses(name, &shlex::split(&command).unwrap());
    }
}
