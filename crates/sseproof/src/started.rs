//! A server that is started for a check and stopped behind it.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use regex::Regex;
use sseproof_files::{Readiness, Signal, StopHook};
use sseproof_net::{Client, ConnectionOptions, Direct, Leave, Limits};
use sseproof_record::{Ending, Request};
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

/// What it printed.
#[derive(Default)]
struct Printed {
    last: VecDeque<String>,
    /// What shows that it is ready, until a line has matched.
    awaited: Option<Regex>,
}

type Output = Arc<Mutex<Printed>>;

/// A running server, the leader of a process group of its own.
pub(crate) struct Started {
    command: String,
    child: Child,
    group: Option<i32>,
    output: Output,
}

impl Started {
    /// Starts the command, without a shell.
    pub(crate) fn new(command: &str, ready: &Readiness) -> anyhow::Result<Self> {
        let words = shlex::split(command)
            .with_context(|| format!("cannot start `{command}`: a quotation mark is missing"))?;
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
        let awaited = match ready {
            Readiness::Output(regex) => Some(Regex::new(regex).context("wait for a line")?),
            _ => None,
        };
        let output = Arc::new(Mutex::new(Printed { awaited, ..Printed::default() }));
        if let Some(stdout) = child.stdout.take() {
            keep(stdout, &output);
        }
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, &output);
        }
        Ok(Self { command: command.to_owned(), child, group, output })
    }

    /// The id of its process, while it runs.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops it and what it started, gently first, or as the target file says.
    pub(crate) async fn stop(mut self, hook: Option<&StopHook>) {
        match hook {
            None => self.signal(Signal::Term),
            Some(StopHook::Signal(signal)) => self.signal(*signal),
            Some(StopHook::Run(command)) => {
                if let Err(error) = stopped_by(command).await {
                    eprintln!("sseproof: {error:#}");
                    self.signal(Signal::Term);
                }
            }
        }
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
                Signal::Int => rustix::process::Signal::INT,
                Signal::Quit => rustix::process::Signal::QUIT,
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
        let lines = &self.output.lock().unwrap_or_else(PoisonError::into_inner).last;
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

/// Runs the command that stops a server.
async fn stopped_by(command: &str) -> anyhow::Result<()> {
    let words = shlex::split(command).unwrap_or_default();
    let [program, arguments @ ..] = words.as_slice() else {
        bail!("`stop` names no command");
    };
    let ended = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let ended = timeout(GRACE, ended)
        .await
        .with_context(|| format!("`{command}` did not end in {GRACE:?}"))?
        .with_context(|| format!("cannot run `{command}`"))?;
    if !ended.status.success() {
        bail!("`{command}` ended with {}", ended.status);
    }
    Ok(())
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
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if kept.awaited.as_ref().is_some_and(|awaited| awaited.is_match(&line)) {
                kept.awaited = None;
            }
            kept.last.push_back(line);
            if kept.last.len() > LINES {
                kept.last.pop_front();
            }
        }
    });
}

/// Sees to it that nobody listens where the server is to listen: another server would be checked
/// in its place.
pub(crate) async fn is_free(url: &str, ways: &ConnectionOptions) -> anyhow::Result<()> {
    let (host, port) = authority(url)?;
    if let Some(path) = socket_of(ways, url)? {
        if listens(path).await.is_ok() {
            bail!(
                "something listens on {} already, before --start; stop it, or leave --start out",
                path.display()
            );
        }
        return Ok(());
    }
    if let Ok(Ok(_)) = timeout(OCCUPIED, TcpStream::connect((host.as_str(), port))).await {
        bail!(
            "something listens on {host}:{port} already, before --start; stop it, or leave --start out"
        );
    }
    Ok(())
}

/// Waits until the server is ready, or dies; where nothing else is said it is ready when the port of
/// the URL accepts a connection.
pub(crate) async fn wait_for(
    url: &str,
    ready: &Readiness,
    within: Duration,
    mut started: Option<&mut Started>,
    ways: &ConnectionOptions,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    loop {
        let not_yet = match look(url, ready, deadline, started.as_deref(), ways).await? {
            None => return Ok(()),
            Some(not_yet) => not_yet,
        };
        if let Some(started) = started.as_deref_mut()
            && let Some(end) = started.ended().await?
        {
            bail!("the server did not start: {end}");
        }
        if Instant::now() >= deadline {
            let words = started.map(|started| format!("; {}", started.last_words()));
            bail!("{} after {within:?}{}{}", not_yet.what, not_yet.seen, words.unwrap_or_default());
        }
        sleep(ATTEMPT).await;
    }
}

/// Why a server is not ready yet.
struct NotYet {
    what: String,
    seen: String,
}

async fn look(
    url: &str,
    ready: &Readiness,
    deadline: Instant,
    started: Option<&Started>,
    ways: &ConnectionOptions,
) -> anyhow::Result<Option<NotYet>> {
    let (host, port) = match ready {
        Readiness::Output(regex) => {
            let waits = |started: &Started| {
                started.output.lock().unwrap_or_else(PoisonError::into_inner).awaited.is_some()
            };
            let what = format!("the server has printed no line that /{regex}/ matches");
            let not_yet = NotYet { what, seen: String::new() };
            return Ok(started.is_none_or(waits).then_some(not_yet));
        }
        Readiness::Http(place) => return answers(url, place, deadline, ways).await,
        Readiness::Port(port) => ("localhost".to_owned(), *port),
        Readiness::Listening => match socket_of(ways, url)? {
            None => authority(url)?,
            Some(path) => {
                let what = format!("nobody listens on {}", path.display());
                let not_yet = |error| NotYet { what, seen: format!(": {error}") };
                return Ok(listens(path).await.err().map(not_yet));
            }
        },
    };
    let attempt = TcpStream::connect((host.as_str(), port));
    let refused = match timeout_at(deadline, attempt).await {
        Ok(Ok(_)) => return Ok(None),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".to_owned(),
    };
    let what = format!("nobody listens on {host}:{port}");
    Ok(Some(NotYet { what, seen: format!(": {refused}") }))
}

/// Whether a request for the place is answered well.
async fn answers(
    url: &str,
    place: &str,
    deadline: Instant,
    ways: &ConnectionOptions,
) -> anyhow::Result<Option<NotYet>> {
    let whole = Url::parse(url)
        .and_then(|url| url.join(place))
        .with_context(|| format!("`ready: {{ http: {place} }}` is no path or URL"))?;
    let client = Client::new(Arc::new(Direct), Limits::default()).with(ways.clone());
    let mut request = Request::subscribe(whole.as_str());
    request.headers.set("Accept", "*/*");
    let mut live = client.open(request).context("ask whether the server is ready")?;
    let left = deadline.saturating_duration_since(Instant::now());
    live.wait(left, |progress| progress.exchange.head.is_some()).await;
    let exchange = live.leave(Leave::Fin).await;
    if exchange.status().is_some_and(|status| (200..400).contains(&status)) {
        return Ok(None);
    }
    let seen = match (exchange.status(), &exchange.end.how) {
        (Some(status), _) => format!(": {whole} answered {status}"),
        (None, Ending::Handshake(why)) => format!(": {whole}: {why}"),
        (None, _) => format!(": {whole} gave no answer"),
    };
    Ok(Some(NotYet { what: "the server is not ready".to_owned(), seen }))
}

/// The unix socket that stands for the host and port of the URL.
fn socket_of<'w>(ways: &'w ConnectionOptions, url: &str) -> anyhow::Result<Option<&'w Path>> {
    let Some(unix) = &ways.unix else { return Ok(None) };
    let parsed = Url::parse(url).with_context(|| format!("cannot read the URL `{url}`"))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    Ok(unix.for_host(parsed.host_str().unwrap_or_default(), port))
}

/// Whether somebody takes connections on the socket.
#[cfg(unix)]
async fn listens(path: &Path) -> std::io::Result<()> {
    tokio::net::UnixStream::connect(path).await.map(drop)
}

#[cfg(not(unix))]
async fn listens(_path: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

fn authority(url: &str) -> anyhow::Result<(String, u16)> {
    let parsed = Url::parse(url).with_context(|| format!("cannot read the URL `{url}`"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    Ok((host, parsed.port_or_known_default().unwrap_or(80)))
}
