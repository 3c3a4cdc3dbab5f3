//! Slurm, S3 and Azure on the loopback of this machine: real programs of others, with files only below
//! `target/scale`, and ended with the value that started them.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::versus::free_port;
use crate::{root, run as play};

const PYTHON: [&str; 2] = ["moto[server]==5.2.5", "azure-storage-blob==12.31.1"];
const NODE: &str = "azurite@3.37.0";
const APT: [&str; 3] = ["slurm-wlm", "munge", "faketime"];
const CONFIGURATION: &str = include_str!("slurm.conf");

/// The longest time until a program answers, or until a job has ended.
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(50);
/// The time in which a program ends by itself.
const ENDING: Duration = Duration::from_secs(5);

/// A program that ends with this value.
pub(super) struct Running(Child);

impl Running {
    fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let program = command.get_program().display().to_string();
        let cannot = || format!("start {program}");
        let log = fs::File::create(log).with_context(cannot)?;
        let other = log.try_clone().with_context(cannot)?;
        command.stdin(Stdio::null()).stdout(log).stderr(other);
        let started = command.spawn();
        Ok(Self(started.with_context(cannot)?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Slurm needs a signal that it can handle, and may have ended by itself.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let begun = Instant::now();
        while begun.elapsed() < ENDING && matches!(self.0.try_wait(), Ok(None)) {
            sleep(LOOK);
        }
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

pub(super) fn until(
    what: &str,
    mut holds: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !holds()? {
        if begun.elapsed() > PATIENCE {
            bail!("{what}: not within {} s", PATIENCE.as_secs());
        }
        sleep(LOOK);
    }
    Ok(())
}

fn listens(port: u16) -> anyhow::Result<()> {
    until(&format!("a server on port {port}"), || {
        Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
    })
}

/// A store, and the variables by which `sseproof` finds it.
pub(super) struct Store {
    pub(super) running: Running,
    kind: &'static str,
    origin: String,
    pub(super) variables: Vec<(&'static str, String)>,
    folder: PathBuf,
}

impl Store {
    /// All that the store has of the run, in the folder.
    pub(super) fn fetch(&self, run: &str, folder: &Path) -> anyhow::Result<()> {
        self.script(&["fetch", self.kind, &self.origin, run, &folder.display().to_string()])
    }

    fn script(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = Command::new(self.folder.join(".venv/bin/python"))
            .arg(root().join("crates/xtask/src/scale/store.py"))
            .args(arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .status()
            .context("start store.py")?;
        if !status.success() {
            bail!("store.py {} ended with {status}", arguments.join(" "));
        }
        Ok(())
    }
}

/// A job, or one task of an array.
pub(super) struct Ended {
    pub(super) task: Option<u64>,
    pub(super) code: i32,
    pub(super) signal: i32,
}

/// A job that may still run.
struct State {
    has_ended: bool,
    ended: Ended,
}

/// All that runs during all cases. Fields are dropped in their order.
pub(super) struct Engines {
    _slurm: [Running; 3],
    _server: Running,
    /// The stream on which all load is put.
    pub(super) origin: String,
    pub(super) folder: PathBuf,
    /// The folder of the cases.
    pub(super) work: PathBuf,
    pub(super) program: PathBuf,
    path: OsString,
}

impl Engines {
    pub(super) fn start(program: &Path) -> anyhow::Result<Self> {
        let folder = root().join("target/scale");
        let work = folder.join("work");
        if work.exists() {
            fs::remove_dir_all(&work).context("remove the results of an earlier run")?;
        }
        fs::create_dir_all(&work).context("make target/scale")?;
        install(&folder)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = program.parent().map(Path::to_owned);
        let path = std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path)));
        let path = path.context("add to the PATH")?;
        let slurm = slurm(&folder.join("slurm"), &path)?;
        let (server, origin) = server(program, &folder)?;
        let engines = Self {
            _slurm: slurm,
            _server: server,
            origin,
            program: program.to_owned(),
            folder,
            work,
            path,
        };
        until("a node of Slurm", || {
            let output = engines.command("sinfo").args(["-h", "-o", "%T"]).output();
            Ok(output.context("start sinfo")?.stdout.starts_with(b"idle"))
        })?;
        Ok(engines)
    }

    /// A command that finds the program and Slurm, in the folder of the cases.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.work)
            .env("PATH", &self.path)
            .env("SLURM_CONF", self.folder.join("slurm/slurm.conf"));
        command
    }

    /// Submits a script of this repository. The output of its jobs is in `NAME.txt`, or, of the tasks
    /// of an array, in `NAME-TASK.txt`.
    pub(super) fn submit(
        &self,
        name: &str,
        options: &[&str],
        script: &str,
        arguments: &[&str],
        variables: &[(&'static str, String)],
    ) -> anyhow::Result<String> {
        let file =
            if options.iter().any(|option| option.starts_with("--array")) { "-%a" } else { "" };
        let output = self
            .command("sbatch")
            .args(["--parsable", &format!("--output={name}{file}.txt")])
            .args(options)
            .arg(root().join(script))
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .context("start sbatch")?;
        if !output.status.success() {
            bail!("sbatch {script}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn states(&self, job: &str) -> anyhow::Result<Vec<State>> {
        let output = self.command("scontrol").args(["show", "job", "-o", job]).output();
        let output = output.context("start scontrol")?;
        if !output.status.success() {
            bail!("scontrol: {}", String::from_utf8_lossy(&output.stderr));
        }
        String::from_utf8_lossy(&output.stdout).lines().map(state).collect()
    }

    /// Waits for the end of a job, with all tasks of an array, in their order.
    pub(super) fn ended(&self, job: &str) -> anyhow::Result<Vec<Ended>> {
        until(&format!("the end of job {job}"), || {
            Ok(self.states(job)?.iter().all(|state| state.has_ended))
        })?;
        let mut all: Vec<_> = self.states(job)?.into_iter().map(|state| state.ended).collect();
        all.sort_by_key(|ended| ended.task);
        Ok(all)
    }

    /// The process of our program that is this task of an array.
    pub(super) fn process(&self, job: &str, task: u64) -> anyhow::Result<u32> {
        let ours = [format!("SLURM_ARRAY_JOB_ID={job}"), format!("SLURM_ARRAY_TASK_ID={task}")];
        for entry in fs::read_dir("/proc").context("list the processes")? {
            let folder = entry.context("list the processes")?.path();
            let id = folder.file_name().and_then(|name| name.to_str()?.parse().ok());
            // Others end meanwhile.
            let (Some(id), Ok(program)) = (id, fs::read_link(folder.join("exe"))) else { continue };
            let variables = fs::read(folder.join("environ")).unwrap_or_default();
            let has = |text: &String| {
                variables.split(|byte| *byte == 0).any(|one| one == text.as_bytes())
            };
            if program.file_name() == self.program.file_name() && ours.iter().all(has) {
                return Ok(id);
            }
        }
        bail!("task {task} of job {job} has no process")
    }

    /// The output of a job.
    pub(super) fn said(&self, file: &str) -> anyhow::Result<String> {
        fs::read_to_string(self.work.join(file)).with_context(|| format!("read {file}"))
    }

    /// S3, by moto.
    pub(super) fn s3(&self) -> anyhow::Result<Store> {
        let port = free_port()?;
        let origin = format!("http://127.0.0.1:{port}");
        let mut server = Command::new(self.folder.join(".venv/bin/moto_server"));
        server.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let running = Running::start(&mut server, &self.folder.join("moto.log"))?;
        listens(port)?;
        let variables = vec![
            ("AWS_ACCESS_KEY_ID", "scale".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "scale".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ENDPOINT", origin.clone()),
        ];
        self.made(Store { running, kind: "s3", origin, variables, folder: self.folder.clone() })
    }

    /// Azure's store of blobs, by its emulator.
    pub(super) fn azure(&self) -> anyhow::Result<Store> {
        let port = free_port()?;
        let origin = format!("http://127.0.0.1:{port}");
        let mut server = Command::new(self.folder.join("node_modules/.bin/azurite-blob"));
        server.args(["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]);
        server.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        let running = Running::start(&mut server, &self.folder.join("azurite.log"))?;
        listens(port)?;
        let variables = vec![
            ("AZURE_STORAGE_USE_EMULATOR", "true".to_owned()),
            ("AZURITE_BLOB_STORAGE_URL", origin.clone()),
        ];
        self.made(Store { running, kind: "azure", origin, variables, folder: self.folder.clone() })
    }

    fn made(&self, store: Store) -> anyhow::Result<Store> {
        store.script(&["make", store.kind, &store.origin])?;
        Ok(store)
    }
}

fn state(line: &str) -> anyhow::Result<State> {
    let value = |key: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        word.with_context(|| format!("no {key} of a job in `{line}`"))
    };
    let waits = ["PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STAGE_OUT"];
    let (code, signal) = value("ExitCode")?.split_once(':').context("an exit code")?;
    let ended = Ended {
        // The tasks of an array that have not begun are one job: `2-3`.
        task: value("ArrayTaskId").ok().and_then(|task| task.parse().ok()),
        code: code.parse().context("an exit code")?,
        signal: signal.parse().context("a signal")?,
    };
    Ok(State { has_ended: !waits.contains(&value("JobState")?), ended })
}

fn install(folder: &Path) -> anyhow::Result<()> {
    let programs = ["munged", "slurmctld", "slurmd", "sbatch", "faketime"];
    if !programs.into_iter().all(crate::versus::is_there) {
        let apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "--yes", "--quiet"];
        play(folder, &[&apt[..], &APT].concat()).context("install from Debian")?;
    }
    if !folder.join(".venv/bin/moto_server").exists() {
        play(folder, &["python3", "-m", "venv", ".venv"])?;
        let pip = [".venv/bin/pip", "install", "--quiet", "--disable-pip-version-check"];
        play(folder, &[&pip[..], &PYTHON].concat()).context("install from PyPI")?;
    }
    if !folder.join("node_modules/.bin/azurite-blob").exists() {
        let npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", ".", NODE];
        play(folder, &npm).context("install from npm")?;
    }
    Ok(())
}

/// The control daemon, the one of the node, and the one that authenticates, in the order of their end.
fn slurm(folder: &Path, path: &OsString) -> anyhow::Result<[Running; 3]> {
    if folder.exists() {
        fs::remove_dir_all(folder).context("remove the state of an earlier Slurm")?;
    }
    for name in ["state", "spool"] {
        fs::create_dir_all(folder.join(name)).context("make a folder for Slurm")?;
    }
    let text = fs::read_to_string("/proc/sys/kernel/hostname").context("read the host name")?;
    let host = text.trim().split('.').next().unwrap_or_default();
    let name = folder.display().to_string();
    let control = free_port()?;
    let node = (control + 1..32_000)
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let configuration = CONFIGURATION
        .replace("FOLDER", &name)
        .replace("HOST", host)
        .replace("CONTROL", &control.to_string())
        .replace("NODE", &node.context("find a free port")?.to_string());
    let file = folder.join("slurm.conf");
    fs::write(&file, configuration).context("write slurm.conf")?;
    let start = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("PATH", path).env("SLURM_CONF", &file).current_dir(folder);
        Running::start(&mut command, &folder.join(format!("{program}.out")))
    };
    let place = |name: &str| folder.join(name).display().to_string();
    let key = folder.join("munge.key");
    let mut random = vec![0; 1024];
    let source = fs::File::open("/dev/urandom").context("open /dev/urandom")?;
    std::io::Read::read_exact(&mut &source, &mut random).context("read random bytes")?;
    fs::write(&key, random).context("write a key for munge")?;
    play(folder, &["chmod", "400", "munge.key"])?;
    let socket = place("munge.sock");
    let options = [
        format!("--socket={socket}"),
        format!("--key-file={}", key.display()),
        format!("--pid-file={}", place("munge.pid")),
        format!("--log-file={}", place("munge.log")),
        format!("--seed-file={}", place("munge.seed")),
    ];
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    // It warns of folders that others may change, as above a checkout, and needs none of them.
    let munged = start("munged", &[&["--foreground", "--force"], &options[..]].concat())?;
    until("munge", || Ok(Path::new(&socket).exists()))?;
    let slurmctld = start("slurmctld", &["-D", "-c"])?;
    listens(control)?;
    let slurmd = start("slurmd", &["-D", "-c"])?;
    Ok([slurmd, slurmctld, munged])
}

/// `sseproof serve --load`, and its origin.
fn server(program: &Path, folder: &Path) -> anyhow::Result<(Running, String)> {
    let log = folder.join("server.log");
    let mut command = Command::new(program);
    command.args(["serve", "--load", "--listen", "127.0.0.1:0"]);
    let running = Running::start(&mut command, &log)?;
    let mut origin = None;
    until("the address of the server", || {
        let file = fs::File::open(&log).context("read the output of the server")?;
        let line = BufReader::new(file).lines().next().and_then(Result::ok).unwrap_or_default();
        let (at, end) = (line.find("http://"), line.find("/events"));
        origin = at.zip(end).and_then(|(at, end)| line.get(at..end)).map(str::to_owned);
        Ok(origin.is_some())
    })?;
    Ok((running, origin.context("the address of the server")?))
}
