//! A server that is started for a check and stopped behind it.

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

/// How many of its last lines are kept, to be shown where it dies.
const LINES: usize = 20;
/// The time that it gets to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// The time between two attempts to connect.
const ATTEMPT: Duration = Duration::from_millis(50);

type Output = Arc<Mutex<VecDeque<String>>>;

/// A running server.
pub(crate) struct Started {
    command: String,
    child: Child,
    output: Output,
}

impl Started {
    /// Starts the command, without a shell.
    pub(crate) fn new(command: &str) -> anyhow::Result<Self> {
        let words = shlex::split(command)
            .with_context(|| format!("read --start {command:?}: a quotation mark is missing"))?;
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
        let mut child = child.spawn().with_context(|| format!("start {program:?}"))?;
        let output = Output::default();
        if let Some(stdout) = child.stdout.take() {
            keep(stdout, &output);
        }
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, &output);
        }
        Ok(Self { command: command.to_owned(), child, output })
    }

    /// Stops it, gently first.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::Term);
        if timeout(GRACE, self.child.wait()).await.is_err() {
            self.signal(Signal::Kill);
            // It cannot refuse that; its status interests nobody.
            let _ = self.child.wait().await;
        }
    }

    fn signal(&mut self, signal: Signal) {
        #[cfg(unix)]
        if let Some(group) = self.child.id().and_then(|id| i32::try_from(id).ok()) {
            let signal = match signal {
                Signal::Term => rustix::process::Signal::TERM,
                Signal::Kill => rustix::process::Signal::KILL,
            };
            if let Some(group) = rustix::process::Pid::from_raw(group) {
                // It may be gone already.
                let _ = rustix::process::kill_process_group(group, signal);
            }
        }
        #[cfg(not(unix))]
        let _ = (signal, self.child.start_kill());
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

fn keep(stream: impl AsyncRead + Unpin + Send + 'static, output: &Output) {
    let output = Arc::clone(output);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        // A line that is not UTF-8 ends the reading: a server that prints such lines loses only
        // its last words.
        while let Ok(Some(line)) = lines.next_line().await {
            let mut kept = output.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(line);
            if kept.len() > LINES {
                kept.pop_front();
            }
        }
    });
}

/// Waits until the port of the URL accepts a connection, or the started server dies.
pub(crate) async fn wait_for(
    url: &str,
    within: Duration,
    mut started: Option<&mut Started>,
) -> anyhow::Result<()> {
    let parsed = Url::parse(url).with_context(|| format!("read the URL {url:?}"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = parsed.port_or_known_default().unwrap_or(80);
    let deadline = Instant::now() + within;
    loop {
        let refused = match timeout(within, TcpStream::connect((host.as_str(), port))).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if let Some(started) = started.as_deref_mut()
            && let Some(status) = started.child.try_wait().context("look after the server")?
        {
            // Its output may still be on the way.
            sleep(ATTEMPT).await;
            bail!("start `{}`: it ended with {status}; {}", started.command, started.last_words());
        }
        if Instant::now() >= deadline {
            let words = started.map(|started| format!("; {}", started.last_words()));
            bail!("reach {host}:{port} within {within:?}: {refused}{}", words.unwrap_or_default());
        }
        sleep(ATTEMPT).await;
    }
}
