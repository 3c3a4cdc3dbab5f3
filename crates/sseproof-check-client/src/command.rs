//! A client in another process, which an adapter drives: JSON lines on its standard input and
//! output, as `specs/client-protocol.md` describes them.

use std::collections::VecDeque;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sseproof_client_rules::{Command, Heard, Hello, Line};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::io::{AsyncWrite, BufReader};
use tokio::process::{Child, ChildStdout};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};

use crate::{BoxFuture, Carrier, Notice, StartError};

/// How many lines of the standard error are kept, and how much of each.
const STDERR: (usize, usize) = (20, 1 << 10);
/// The longest line: an event of some MiB, in JSON.
pub const LINE_BYTES: usize = 64 << 20;
/// How much an adapter may write in all.
pub const WRITTEN_BYTES: usize = 4 << 30;
/// How much is shown of a line that is not a message.
const SHOWN: usize = 200;
/// How long its last line may take.
const LAST_LINE: Duration = Duration::from_millis(20);
/// How long a process may take to exit once its output has ended.
const EXIT: Duration = Duration::from_secs(2);

/// Starts a process; the second value ends it, and all that it has started, when it is dropped.
pub type Spawn = fn(&mut tokio::process::Command) -> io::Result<(Child, Box<dyn Send>)>;

pub struct Adapter {
    command: Vec<String>,
    environment: Vec<(String, String)>,
    spawn: Spawn,
    patience: Duration,
    process: Option<Process>,
}

struct Process {
    id: Option<u32>,
    commands: UnboundedSender<String>,
    stderr: Arc<Mutex<VecDeque<String>>>,
    _group: Box<dyn Send>,
}

impl Adapter {
    /// The adapter that this command runs; it may take that long to its first line.
    pub fn new(command: Vec<String>, patience: Duration, spawn: Spawn) -> Self {
        Self { command, environment: Vec::new(), spawn, patience, process: None }
    }

    /// With these variables of the environment, too.
    #[must_use]
    pub fn with(mut self, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment.extend(environment);
        self
    }

    async fn begin(&mut self, out: UnboundedSender<Notice>) -> Result<Hello, StartError> {
        self.process = None;
        let program = self.command.first().cloned().unwrap_or_default();
        let mut command = tokio::process::Command::new(&program);
        command.args(self.command.iter().skip(1));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = (self.spawn)(&mut command);
        let (mut child, group) =
            spawned.map_err(|error| StartError::Spawn { program, error: error.to_string() })?;
        let (commands, waiting) = unbounded_channel();
        let stderr = Arc::default();
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(write_all(stdin, waiting));
        }
        if let Some(pipe) = child.stderr.take() {
            tokio::spawn(keep(BufReader::new(pipe), Arc::clone(&stderr)));
        }
        let stdout = child.stdout.take();
        self.process =
            Some(Process { id: child.id(), commands, stderr: Arc::clone(&stderr), _group: group });
        let Some(stdout) = stdout else { return Err(StartError::Ended("no output".to_owned())) };
        let mut stdout = BufReader::with_capacity(64 << 10, stdout);
        let first = timeout(self.patience, line(&mut stdout)).await;
        let first = match first {
            Err(_) => return Err(StartError::Silent(self.patience)),
            Ok(Err(error)) => return Err(StartError::Ended(error.to_string())),
            Ok(Ok(None)) => {
                let status = death(&mut child).await;
                // The last line of its standard error may still be in the pipe.
                tokio::time::sleep(LAST_LINE).await;
                return Err(StartError::Ended(status));
            }
            Ok(Ok(Some(first))) => first,
        };
        match message(&first) {
            Ok(Heard::Hello(hello)) => {
                tokio::spawn(read(stdout, child, stderr, out));
                Ok(hello)
            }
            Ok(Heard::Call { .. }) => Err(not_hello(&first, "another message")),
            Err(why) => Err(not_hello(&first, &why)),
        }
    }
}

impl Carrier for Adapter {
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>> {
        Box::pin(self.begin(out))
    }

    fn send(&mut self, command: Command) {
        let Some(process) = &self.process else { return };
        let mut line = serde_json::to_string(&command).unwrap_or_default();
        line.push('\n');
        // A process that has ended says so by the end of its output.
        let _ = process.commands.send(line);
    }

    fn process(&self) -> Option<u32> {
        self.process.as_ref()?.id
    }

    fn stderr(&self) -> String {
        self.process.as_ref().map(|process| joined(&process.stderr)).unwrap_or_default()
    }
}

fn message(line: &[u8]) -> Result<Heard, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    line.heard().map_err(str::to_owned)
}

fn not_hello(line: &[u8], why: &str) -> StartError {
    StartError::NotHello { line: shown(line), why: why.to_owned() }
}

fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end().chars().take(SHOWN).collect()
}

/// Passes on each message, until the process ends or writes something else.
async fn read(
    mut stdout: BufReader<ChildStdout>,
    mut child: Child,
    stderr: Arc<Mutex<VecDeque<String>>>,
    out: UnboundedSender<Notice>,
) {
    let mut written = 0;
    let why = loop {
        let next = line(&mut stdout).await;
        let at = Instant::now();
        let next = match next {
            Ok(Some(next)) => next,
            Ok(None) => {
                break format!("the process of the client ended: {}", death(&mut child).await);
            }
            Err(error) => break format!("the output of the adapter cannot be read: {error}"),
        };
        written += next.len();
        if next.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if written > WRITTEN_BYTES {
            break format!("the adapter wrote more than {} GiB", WRITTEN_BYTES >> 30);
        }
        let call = match message(&next) {
            Ok(Heard::Call { id, call }) => Notice::Call { at, id, call },
            Ok(Heard::Hello(_)) => break "the adapter wrote a second `hello`".to_owned(),
            Err(why) => {
                break format!("a line of the adapter is not a message ({why}): {}", shown(&next));
            }
        };
        if out.send(call).is_err() {
            return;
        }
    };
    // The last line of its standard error may still be in the pipe.
    tokio::time::sleep(LAST_LINE).await;
    let words = joined(&stderr);
    let why = if words.is_empty() { why } else { format!("{why}; standard error: {words}") };
    // The run may be over.
    let _ = out.send(Notice::Died(why));
}

/// The next line with its end; `None` at the end of the output.
async fn line(pipe: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = pipe.take(LINE_BYTES as u64).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

async fn death(child: &mut Child) -> String {
    match timeout(EXIT, child.wait()).await {
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it closed its output and is still running".to_owned(),
    }
}

async fn write_all(mut stdin: impl AsyncWrite + Unpin, mut lines: UnboundedReceiver<String>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(line.as_bytes()).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

async fn keep(mut pipe: impl AsyncBufRead + Unpin, kept: Arc<Mutex<VecDeque<String>>>) {
    loop {
        let mut line = Vec::new();
        let read = (&mut pipe).take(STDERR.1 as u64).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
        if kept.len() > STDERR.0 {
            kept.pop_front();
        }
    }
}

fn joined(lines: &Mutex<VecDeque<String>>) -> String {
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().cloned().collect::<Vec<_>>().join("\n")
}
