//! A server that is started for a run and stopped after it.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use regex::Regex;
use sseproof_files::{Readiness, Signal, StopHook, Termination};
use sseproof_http::Request;
use sseproof_net::{
    Client, ConnectionOptions, Direct, Leave, Limits, Serving, is_running, serving,
};
use sseproof_record::Ending;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use url::Url;

use crate::group::{self, Group};
use crate::screen;

/// How many of its last lines are kept, to be shown if it dies.
const LINES: usize = 20;
/// How much of a line is kept, in bytes.
const LINE: u64 = 1 << 10;
/// The time that it has to end before it is killed.
const GRACE: Duration = Duration::from_secs(3);
/// The time between two attempts at a port, or checks of processes that end.
const ATTEMPT: Duration = Duration::from_millis(50);
/// The time between two looks at a process that was asked to end.
const POLL: Duration = Duration::from_millis(5);
/// How long a connection to a port that should be free may take.
const OCCUPIED: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Printed {
    last: VecDeque<String>,
    awaited: Option<Regex>,
}

type Output = Arc<Mutex<Printed>>;

pub(crate) struct Started {
    command: String,
    child: Child,
    group: Option<Group>,
    output: Output,
}

impl Started {
    pub(crate) fn new(command: &str, ready: &Readiness) -> anyhow::Result<Self> {
        let words = shlex::split(command)
            .with_context(|| format!("cannot start `{command}`: a quotation mark is missing"))?;
        let [program, arguments @ ..] = words.as_slice() else {
            bail!("--start is empty; write a command, such as --start 'python app.py'");
        };
        let awaited = match ready {
            Readiness::Output(regex) => Some(Regex::new(regex).context("wait for a line")?),
            _ => None,
        };
        let mut server = Command::new(program);
        server.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = group::spawn(&mut server);
        let (mut child, group) = started.with_context(|| format!("cannot start {program}"))?;
        let output = Arc::new(Mutex::new(Printed { awaited, ..Printed::default() }));
        if let Some(stdout) = child.stdout.take() {
            keep(stdout, &output);
        }
        if let Some(stderr) = child.stderr.take() {
            keep(stderr, &output);
        }
        Ok(Self { command: command.to_owned(), child, group, output })
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stops its process group by SIGTERM and then SIGKILL, or by the hook of the target file.
    pub(crate) async fn stop(mut self, hook: Option<&StopHook>) {
        match hook {
            None => self.signal(Signal::Term),
            Some(StopHook::Signal(signal)) => self.signal(*signal),
            Some(StopHook::Run(command)) => {
                if let Err(error) = stopped_by(command, GRACE).await {
                    screen::say(format_args!("sseproof: {error:#}"));
                    self.signal(Signal::Term);
                }
            }
        }
        // The leader may end before the processes that it has started.
        if timeout(GRACE, self.gone()).await.is_err() {
            self.kill().await;
        }
    }

    async fn gone(&mut self) {
        // The exit status does not matter here.
        let _ = self.child.wait().await;
        while self.group.as_ref().is_some_and(Group::is_there) {
            sleep(ATTEMPT).await;
        }
    }

    /// Ends its whole process group at once.
    pub(crate) async fn kill(&mut self) {
        self.signal(Signal::Kill);
        // A system without a process that waits for orphans keeps them.
        let _ = timeout(GRACE, self.gone()).await;
    }

    /// Asks the server to end, as [`Self::stop`] does, and waits until it has.
    ///
    /// A signal is for the process that serves the port, once: a shell, npm or another wrapper
    /// before it may pass a signal on, ignore it or live longer, which says nothing of the server.
    /// If no such process of the group is known, the signal is for the group, and all of it has to
    /// end.
    pub(crate) async fn terminate(
        &mut self,
        hook: Option<&StopHook>,
        port: Option<u16>,
        within: Duration,
    ) -> anyhow::Result<Termination> {
        if cfg!(not(unix)) && !matches!(hook, Some(StopHook::Run(_))) {
            bail!(
                "this system has no signal that asks a process to end; add `stop: ./stop` to the target file"
            );
        }
        let serving = port
            .zip(self.group.as_ref())
            .map_or_else(Serving::default, |(port, group)| serving(port, group.id()));
        let began = Instant::now();
        let by = match hook {
            Some(StopHook::Run(command)) => {
                if let Ok(stopped) = timeout(within, stopped_by(command, within)).await {
                    stopped?;
                }
                format!("`{command}`")
            }
            Some(StopHook::Signal(signal)) => self.ask(*signal, &serving),
            None => self.ask(Signal::Term, &serving),
        };
        let ended = async {
            if serving.all.is_empty() {
                return self.gone().await;
            }
            while serving.all.iter().any(|process| is_running(*process)) {
                sleep(POLL).await;
            }
        };
        let took = timeout_at(began + within, ended).await.is_ok().then(|| began.elapsed());
        Ok(Termination { by, took })
    }

    fn ask(&mut self, signal: Signal, serving: &Serving) -> String {
        #[cfg(unix)]
        {
            let first = serving.first.iter().filter_map(|id| rustix::process::Pid::from_raw(*id));
            let sent =
                first.filter(|id| rustix::process::kill_process(*id, group::unix(signal)).is_ok());
            if sent.count() == 0 {
                self.signal(signal);
            }
        }
        signal.to_string()
    }

    fn signal(&mut self, signal: Signal) {
        match &self.group {
            Some(group) => group.signal(signal),
            None => drop(self.child.start_kill()),
        }
    }

    /// How it ended, with its last output; `None` while it runs.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<Option<String>> {
        let Some(status) = self.child.try_wait().context("check whether the server runs")? else {
            return Ok(None);
        };
        // Its last output may not have been read yet.
        sleep(ATTEMPT).await;
        Ok(Some(format!("`{}` ended with {status}; {}", self.command, self.last_output())))
    }

    fn last_output(&self) -> String {
        let lines = &self.output.lock().unwrap_or_else(PoisonError::into_inner).last;
        if lines.is_empty() {
            return "it printed nothing".to_owned();
        }
        let text: String = lines.iter().map(|line| format!("\n    {line}")).collect();
        format!("its last output:{text}")
    }
}

async fn stopped_by(command: &str, within: Duration) -> anyhow::Result<()> {
    let words = shlex::split(command).unwrap_or_default();
    let [program, arguments @ ..] = words.as_slice() else {
        bail!("`stop` names no command");
    };
    let ended = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let ended = timeout(within, ended)
        .await
        .with_context(|| format!("`{command}` did not end in {within:?}"))?
        .with_context(|| format!("cannot run `{command}`"))?;
    if !ended.success() {
        bail!("`{command}` ended with {ended}");
    }
    Ok(())
}

fn keep(stream: impl AsyncRead + Unpin + Send + 'static, output: &Output) {
    let output = Arc::clone(output);
    tokio::spawn(async move {
        let mut stream = BufReader::new(stream);
        loop {
            // An endless line is cut into pieces, so that it cannot fill the memory.
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

/// The port that the server has to listen on, unless it is a unix socket.
pub(crate) fn port_of(url: &str, connection: &ConnectionOptions) -> Option<u16> {
    match socket_of(connection, url) {
        Ok(None) => authority(url).ok().map(|(_, port)| port),
        _ => None,
    }
}

/// Fails if the port is in use already: another server would be checked instead.
pub(crate) async fn is_free(url: &str, connection: &ConnectionOptions) -> anyhow::Result<()> {
    let (host, port) = authority(url)?;
    if let Some(path) = socket_of(connection, url)? {
        if listens(path).await.is_ok() {
            bail!(
                "{} is already in use before --start; stop that server, or remove --start",
                path.display()
            );
        }
        return Ok(());
    }
    if let Ok(Ok(_)) = timeout(OCCUPIED, TcpStream::connect((host.as_str(), port))).await {
        bail!(
            "{host}:{port} is already in use before --start; stop that server, or remove --start"
        );
    }
    Ok(())
}

/// Waits until the server is ready, or ends; by default, it is ready if the port of the URL accepts
/// a connection.
pub(crate) async fn wait_for(
    url: &str,
    ready: &Readiness,
    within: Duration,
    mut started: Option<&mut Started>,
    connection: &ConnectionOptions,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + within;
    loop {
        let not_yet = match look(url, ready, deadline, started.as_deref(), connection).await? {
            None => return Ok(()),
            Some(not_yet) => not_yet,
        };
        if let Some(started) = started.as_deref_mut()
            && let Some(end) = started.ended().await?
        {
            bail!("the server did not start: {end}");
        }
        if Instant::now() >= deadline {
            let output = started.map(|started| format!("; {}", started.last_output()));
            bail!(
                "{} after {within:?}{}{}",
                not_yet.what,
                not_yet.reason,
                output.unwrap_or_default()
            );
        }
        sleep(ATTEMPT).await;
    }
}

struct NotYet {
    what: String,
    reason: String,
}

async fn look(
    url: &str,
    ready: &Readiness,
    deadline: Instant,
    started: Option<&Started>,
    connection: &ConnectionOptions,
) -> anyhow::Result<Option<NotYet>> {
    let (host, port) = match ready {
        Readiness::Output(regex) => {
            let waits = |started: &Started| {
                started.output.lock().unwrap_or_else(PoisonError::into_inner).awaited.is_some()
            };
            let what = format!("the server has not printed a line that matches /{regex}/");
            let not_yet = NotYet { what, reason: String::new() };
            return Ok(started.is_none_or(waits).then_some(not_yet));
        }
        Readiness::Http(place) => return answers(url, place, deadline, connection).await,
        Readiness::Port(port) => ("localhost".to_owned(), *port),
        Readiness::Listening => match socket_of(connection, url)? {
            None => authority(url)?,
            Some(path) => {
                let what = format!("no server listens on {}", path.display());
                let not_yet = |error| NotYet { what, reason: format!(": {error}") };
                return Ok(listens(path).await.err().map(not_yet));
            }
        },
    };
    let attempt = TcpStream::connect((host.as_str(), port));
    let refused = match timeout_at(deadline, attempt).await {
        Ok(Ok(_)) => return Ok(None),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no response".to_owned(),
    };
    let what = format!("no server listens on {host}:{port}");
    Ok(Some(NotYet { what, reason: format!(": {refused}") }))
}

/// `None` if a request for this path or URL is answered with a status below 400.
async fn answers(
    url: &str,
    place: &str,
    deadline: Instant,
    connection: &ConnectionOptions,
) -> anyhow::Result<Option<NotYet>> {
    let whole = Url::parse(url)
        .and_then(|url| url.join(place))
        .with_context(|| format!("`ready: {{ http: {place} }}` is not a valid path or URL"))?;
    let client = Client::new(Arc::new(Direct), Limits::default()).with(connection.clone());
    let mut request = Request::subscribe(whole.as_str());
    request.headers.set("Accept", "*/*");
    let mut live = client.open(request).context("request the URL of `ready`")?;
    let left = deadline.saturating_duration_since(Instant::now());
    live.wait(left, |progress| progress.exchange.head.is_some()).await;
    let exchange = live.leave(Leave::Fin).await;
    if exchange.status().is_some_and(|status| (200..400).contains(&status)) {
        return Ok(None);
    }
    let reason = match (exchange.status(), &exchange.end.how) {
        (Some(status), _) => format!(": status {status} from {whole}"),
        (None, Ending::Handshake(why)) => format!(": {whole}: {why}"),
        (None, _) => format!(": no response from {whole}"),
    };
    Ok(Some(NotYet { what: "the server is not ready".to_owned(), reason }))
}

/// The unix socket that replaces the host and port of the URL.
fn socket_of<'w>(connection: &'w ConnectionOptions, url: &str) -> anyhow::Result<Option<&'w Path>> {
    let Some(unix) = &connection.unix else { return Ok(None) };
    let parsed = Url::parse(url).with_context(|| format!("cannot read the URL `{url}`"))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    Ok(unix.for_host(parsed.host_str().unwrap_or_default(), port))
}

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
