//! A server that is started for a check and stopped behind it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use url::Url;

/// How many of its last lines are kept, to be shown where it dies.
const LINES: usize = 20;
/// How much of a line is kept, in bytes.
const LINE: u64 = 1 << 10;
/// The time that it gets to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// The time between two looks at a port or at processes that end.
const ATTEMPT: Duration = Duration::from_millis(50);
/// How long a port is tried that should be free.
const OCCUPIED: Duration = Duration::from_secs(1);

type Output = Arc<Mutex<VecDeque<String>>>;

/// A running server, the leader of a process group of its own.
pub(crate) struct Started {
    command: String,
    child: Child,
    group: Option<i32>,
    output: Output,
}

impl Started {
    /// Starts the command, without a shell.
    pub(crate) fn new(command: &str) -> anyhow::Result<Self> {
        let words = shlex::split(command).with_context(|| {
            format!("cannot read --start {command}: a quotation mark is missing")
        })?;
        let [program, arguments @ ..] = words.as_slice() else {
            bail!("--start names no command; write one like --start 'python app.py'");
        };
        let mut child = Command::new(program);
        child
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A group of its own, so that Ctrl-C reaches us first and its children end with it.
        #[cfg(unix)]
        child.process_group(0);
        let mut child = child.spawn().with_context(|| format!("cannot start {program}"))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok());
        let output = Output::default();
        if let Some(stdout) = child.stdout.take() {
            keep(stdout, &output);
        }
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, &output);
        }
        Ok(Self { command: command.to_owned(), child, group, output })
    }

    /// Stops it and what it started, gently first.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::Term);
        // The leader may be gone before the processes that it started.
        let ended = async {
            // Its status interests nobody.
            let _ = self.child.wait().await;
            while is_there(self.group) {
                sleep(ATTEMPT).await;
            }
        };
        if timeout(GRACE, ended).await.is_err() {
            self.signal(Signal::Kill);
            let _ = self.child.wait().await;
        }
        self.group = None;
    }

    fn signal(&mut self, signal: Signal) {
        #[cfg(unix)]
        if let Some(group) = self.group.and_then(rustix::process::Pid::from_raw) {
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            // It may be gone already.
            let _ = rustix::process::kill_process_group(group, signal);
        }
        #[cfg(not(unix))]
        let _ = (signal, self.child.start_kill());
    }

    /// How it ended, with what it printed last; `None` while it runs.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<Option<String>> {
        let Some(status) = self.child.try_wait().context("look after the server")? else {
            return Ok(None);
        };
        // Its output may still be on the way.
        sleep(ATTEMPT).await;
        Ok(Some(format!("`{}` ended with {status}; {}", self.command, self.last_words())))
    }

    /// What it printed last, each line indented.
    fn last_words(&self) -> String {
        let lines = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return "it printed nothing".to_owned();
        }
        let text: String = lines.iter().map(|line| format!("\n    {line}")).collect();
        format!("it printed last:{text}")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.signal(Signal::Kill);
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Term,
    Kill,
}

/// Whether a process of the group is left.
#[cfg(unix)]
fn is_there(group: Option<i32>) -> bool {
    group
        .and_then(rustix::process::Pid::from_raw)
        .is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

#[cfg(not(unix))]
fn is_there(_group: Option<i32>) -> bool {
    false
}

fn keep(stream: impl AsyncRead + Unpin + Send + 'static, output: &Output) {
    let output = Arc::clone(output);
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        loop {
            // A line without end comes in pieces, so that it cannot fill the memory.
            let mut line = Vec::new();
            match (&mut stream).take(LINE).read_until(b'\n', &mut line).await {
                Ok(read) if read > 0 => {}
                _ => return,
            }
            let mut kept = output.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
            if kept.len() > LINES {
                kept.pop_front();
            }
        }
    });
}

/// Sees to it that nobody listens where the server is to listen: another server would be checked
/// in its place.
pub(crate) async fn is_free(url: &str) -> anyhow::Result<()> {
    let (host, port) = authority(url)?;
    if let Ok(Ok(_)) = timeout(OCCUPIED, TcpStream::connect((host.as_str(), port))).await {
        bail!(
            "something listens on {host}:{port} already, before --start; stop it, or leave --start out"
        );
    }
    Ok(())
}

/// Waits until the port of the URL accepts a connection, or the started server dies.
pub(crate) async fn wait_for(
    url: &str,
    within: Duration,
    mut started: Option<&mut Started>,
) -> anyhow::Result<()> {
    let (host, port) = authority(url)?;
    let deadline = Instant::now() + within;
    loop {
        let attempt = TcpStream::connect((host.as_str(), port));
        let refused = match timeout_at(deadline, attempt).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if let Some(started) = started.as_deref_mut()
            && let Some(end) = started.ended().await?
        {
            bail!("the server did not start: {end}");
        }
        if Instant::now() >= deadline {
            let words = started.map(|started| format!("; {}", started.last_words()));
            bail!(
                "nobody listens on {host}:{port} after {within:?}: {refused}{}",
                words.unwrap_or_default()
            );
        }
        sleep(ATTEMPT).await;
    }
}

fn authority(url: &str) -> anyhow::Result<(String, u16)> {
    let parsed = Url::parse(url).with_context(|| format!("cannot read the URL `{url}`"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    Ok((host, parsed.port_or_known_default().unwrap_or(80)))
}
