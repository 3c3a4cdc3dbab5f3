//! The scripts of the action and of the GitLab component, played in an environment like that of a job:
//! a folder in place of the releases, and a program of our own in place of cargo.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{Folder, Ran, finish, free_address, read, serve};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// A job: a folder with its programs, and the variables of its steps.
struct Job {
    folder: Folder,
}

impl Job {
    fn new() -> Self {
        let job = Self { folder: Folder::new() };
        fs::create_dir(job.folder.path("bin")).unwrap();
        job
    }

    /// A program of this text, before all others in the PATH.
    fn program(&self, name: &str, text: &str) {
        let file = self.folder.path("bin").join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn script(&self, name: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("sh");
        let path = format!("{}:/usr/bin:/bin", self.folder.name("bin"));
        command.arg(root().join("ci").join(name)).current_dir(self.folder.path(""));
        command.env_clear().env("PATH", path).env("HOME", self.folder.name(""));
        for output in ["GITHUB_PATH", "GITHUB_OUTPUT"] {
            command.env(output, self.folder.name(output));
        }
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(command.spawn().unwrap())
    }

    fn install(&self, more: &[(&str, &str)]) -> Ran {
        let (releases, folder) = (self.folder.name("releases"), self.folder.name("installed"));
        let sources = root().display().to_string();
        let usual = [
            ("SSEPROOF_RELEASES", &*releases),
            ("SSEPROOF_FOLDER", &folder),
            ("SSEPROOF_SOURCES", &sources),
        ];
        self.script("install.sh", &[&usual[..], more].concat())
    }

    /// A release for this machine, whose program is the one under test.
    fn release(&self) {
        let name = format!("sseproof-{VERSION}-{}", host());
        let release = self.folder.path("releases").join(format!("v{VERSION}"));
        let inside = self.folder.path(&name);
        fs::create_dir_all(&release).unwrap();
        fs::create_dir(&inside).unwrap();
        let real = env!("CARGO_BIN_EXE_sseproof");
        fs::write(inside.join("sseproof"), format!("#!/bin/sh\nexec '{real}' \"$@\"\n")).unwrap();
        let pack = format!(
            "tar -czf '{0}/{name}.tar.gz' '{name}' && cd '{0}' && (sha256sum *.tar.gz || shasum -a 256 *.tar.gz) > SHA256SUMS",
            release.display()
        );
        let mut sh = Command::new("sh");
        sh.args(["-c", &pack]).current_dir(self.folder.path(""));
        assert!(sh.status().unwrap().success());
    }

    fn outputs(&self) -> String {
        read(self.folder.path("GITHUB_OUTPUT"))
    }
}

/// The name of this machine in archives.
fn host() -> String {
    let system = match std::env::consts::OS {
        "macos" => "apple-darwin",
        _ if cfg!(target_env = "musl") => "unknown-linux-musl",
        _ => "unknown-linux-gnu",
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

#[test]
fn a_released_program_is_installed_if_its_checksum_is_right() {
    let job = Job::new();
    job.program("cargo", "echo cargo must not run; exit 9");
    job.release();
    job.install(&[]).ends(0, &[&format!("sseproof {VERSION}")]);
    assert_eq!(read(job.folder.path("GITHUB_PATH")), format!("{}\n", job.folder.name("installed")));
    job.install(&[("SSEPROOF_VERSION", &format!("v{VERSION}"))]).ends(0, &[]);
}

#[test]
fn a_wrong_checksum_ends_the_job_and_installs_nothing() {
    let job = Job::new();
    job.program("cargo", "echo cargo must not run; exit 9");
    job.release();
    let sums = job.folder.path("releases").join(format!("v{VERSION}/SHA256SUMS"));
    let text = read(&sums);
    let wrong = if text.starts_with('0') { "1" } else { "0" };
    fs::write(&sums, format!("{wrong}{}", &text[1..])).unwrap();
    let ran = job.install(&[]);
    ran.ends(1, &["has the checksum", "not installed"]);
    assert!(!ran.out.contains("cargo"), "{ran:#?}");
    assert!(!job.folder.path("installed/sseproof").exists());
    assert!(!job.folder.path("GITHUB_PATH").exists());
}

#[test]
fn cargo_builds_what_has_no_release() {
    let job = Job::new();
    let cargo = r#"echo "cargo $*"
while [ "$1" != --root ]; do shift; done
mkdir -p "$2/bin"
printf '#!/bin/sh\necho built\n' > "$2/bin/sseproof"
chmod +x "$2/bin/sseproof""#;
    job.program("cargo", cargo);
    let path = format!("--path {}/crates/sseproof", root().display());
    job.install(&[]).ends(0, &["cargo install --locked --root", &path, "takes minutes", "built"]);
    // A release without this machine.
    job.release();
    let sums = job.folder.path("releases").join(format!("v{VERSION}/SHA256SUMS"));
    fs::write(&sums, "00  sseproof-of-another-machine.tar.gz\n").unwrap();
    job.install(&[]).ends(0, &["cargo install"]);
    let git = [("SSEPROOF_SOURCES", "https://git.example/x"), ("SSEPROOF_VERSION", "9.8.7")];
    job.install(&git).ends(0, &["--git https://git.example/x --tag v9.8.7 sseproof"]);
    let other = [("SSEPROOF_VERSION", "9.8.7")];
    job.install(&other).ends(1, &[&format!("has the version {VERSION}, and not 9.8.7")]);
}

#[test]
fn a_version_is_a_version() {
    let job = Job::new();
    for version in ["../1", "1 2", "$(touch evil)", "1;touch evil"] {
        job.install(&[("SSEPROOF_VERSION", version)]).ends(1, &["is not a version"]);
    }
    job.install(&[("SSEPROOF_SOURCES", "")]).ends(1, &["which version?"]);
    assert!(!job.folder.path("evil").exists());
}

#[test]
fn a_check_leaves_reports_and_a_verdict() {
    let job = Job::new();
    job.program("sseproof", &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_sseproof")));
    let server = serve(&["--mutant", "latin1-payload"]);
    let url = ("SSEPROOF_URL", &*server.url);
    let only = ("SSEPROOF_ARGS", "--only 'stream/utf8'\n  --only \"response/status\"");
    job.script("check.sh", &[url, only]).ends(1, &["✗ broken: 1 must (stream/utf8)"]);
    let reports = job.folder.path("sseproof-reports").canonicalize().unwrap();
    assert_eq!(
        job.outputs(),
        format!(
            "verdict=broken\nexit-code=1\nreports={0}\nsarif={0}/sseproof.sarif\n",
            reports.display()
        )
    );
    let mut names: Vec<_> =
        fs::read_dir(&reports).unwrap().map(|file| file.unwrap().file_name()).collect();
    names.sort();
    let expected = [
        "logs",
        "sseproof.gitlab.json",
        "sseproof.html",
        "sseproof.json",
        "sseproof.jsonl",
        "sseproof.md",
        "sseproof.sarif",
        "sseproof.xml",
    ];
    assert_eq!(names, expected);

    job.folder.write("known file.yaml", "stream/utf8: an old tenant\n");
    job.folder.write("target.yaml", &format!("url: {}\n", server.url));
    let known = [("SSEPROOF_KNOWN", "known file.yaml"), ("SSEPROOF_TARGET", "target.yaml"), only];
    job.script("check.sh", &known).ends(0, &["✓ passed"]);
    assert!(job.outputs().ends_with(&format!("{0}/sseproof.sarif\n", reports.display())));
    assert!(job.outputs().contains("verdict=passed\nexit-code=0\n"), "{}", job.outputs());
}

#[test]
fn a_check_without_a_verdict_is_an_error_and_no_input_is_a_command() {
    let job = Job::new();
    job.program("sseproof", &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_sseproof")));
    let nothing = format!("http://{}/events", free_address());
    job.script("check.sh", &[("SSEPROOF_URL", &nothing)]).ends(3, &["sseproof: "]);
    let evil = "$(touch evil) `touch evil` ; touch evil";
    for variable in ["SSEPROOF_URL", "SSEPROOF_TARGET", "SSEPROOF_KNOWN", "SSEPROOF_ARGS"] {
        let ran = job.script("check.sh", &[(variable, evil)]);
        ran.ends(2, &["sseproof"]);
    }
    job.script("check.sh", &[("SSEPROOF_ARGS", "--only 'x")])
        .ends(2, &["a quotation mark is missing"]);
    job.script("check.sh", &[("SSEPROOF_URL", "--help")]).ends(2, &["`--help` is not a URL"]);
    assert!(!job.folder.path("evil").exists());
    assert!(!job.outputs().contains("verdict=passed"), "{}", job.outputs());
}

/// A value of an expression in the text of a script could be a command.
#[test]
fn the_action_has_no_expression_in_a_script() {
    let action: Value = serde_yaml::from_str(&read(root().join("action.yml"))).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let scripts: Vec<_> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
    assert_eq!(scripts.len(), 2);
    assert!(scripts.iter().all(|script| !script.contains("${{")), "{scripts:?}");
    let text = action.to_string();
    for input in action["inputs"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("inputs.{input} ")), "the input {input} has an effect");
    }
}

#[test]
fn the_component_has_the_scripts() {
    let text = read(root().join("templates/sseproof/template.yml"));
    let (header, jobs) = text.split_once("\n---\n").unwrap();
    let header: Value = serde_yaml::from_str(header).unwrap();
    let jobs: Value = serde_yaml::from_str(jobs).unwrap();
    let job = &jobs["$[[ inputs.job ]]"];
    for input in header["spec"]["inputs"].as_object().unwrap().keys() {
        assert!(jobs.to_string().contains(&format!("$[[ inputs.{input} ]]")), "{input}");
    }
    for (index, name) in ["ci/install.sh", "ci/check.sh"].into_iter().enumerate() {
        let script = read(root().join(name));
        let (_, script) = script.split_once('\n').unwrap();
        assert_eq!(job["script"][index], script, "run `cargo xtask generate`");
    }
}
