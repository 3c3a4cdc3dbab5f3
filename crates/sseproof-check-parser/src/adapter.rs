//! A parser in another process.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
#[cfg(unix)]
use rustix::process::Pid;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, Fault, Parser};

const STDERR_LINES: usize = 20;
/// How much of a line of it is kept.
const STDERR_BYTES: usize = 1 << 10;
/// Where a line without an end is cut off.
pub const LINE_BYTES: usize = 64 << 20;
/// How many lines may wait to be read: one answer, and the surplus.
const LINES: usize = 2;
/// How much is shown of a line that is not an answer.
const SHOWN: usize = 200;
/// How long a process may take to exit once its output has ended.
const LAST_BREATH: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

/// A parser in another process, which speaks the protocol of `specs/parser-protocol.md`: a line of
/// JSON per question, a line of JSON per answer.
/// Any language can do that, and a parser that dies or hangs stops no other check. A process that
/// dies, hangs or writes nonsense is killed, and started again for the next question.
#[derive(Debug)]
pub struct Adapter {
    command: Vec<String>,
    patience: Duration,
    process: Option<Process>,
    questions: u64,
}

#[derive(Debug)]
struct Process {
    child: Child,
    questions: Sender<String>,
    lines: Receiver<String>,
    stderr: Arc<Mutex<VecDeque<String>>>,
}

impl Adapter {
    /// # Errors
    /// The command is empty, or cannot be started.
    pub fn start(command: &[String], patience: Duration) -> anyhow::Result<Self> {
        let process = Process::start(command)?;
        Ok(Self { command: command.to_vec(), patience, process: Some(process), questions: 0 })
    }

    fn ask(
        process: &mut Process,
        number: u64,
        question: String,
        patience: Duration,
    ) -> Result<Answer, Fault> {
        // If the process has died and does not read, the answer shows it.
        drop(process.questions.send(question));
        let line = match process.lines.recv_timeout(patience) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => {
                return Err(Fault::Silent { waited: patience, stderr: process.last_words() });
            }
            Err(RecvTimeoutError::Disconnected) => return Err(process.death()),
        };
        read(&line, number, || process.last_words())
    }
}

impl Parser for Adapter {
    fn parse(&mut self, chunks: &[Vec<u8>]) -> Result<Answer, Fault> {
        self.questions += 1;
        let number = self.questions;
        let chunks: Vec<_> = chunks.iter().map(|chunk| BASE64_STANDARD.encode(chunk)).collect();
        let question = format!("{}\n", json!({ "id": number, "chunks": chunks }));
        let mut process = match self.process.take() {
            Some(process) => process,
            None => {
                Process::start(&self.command).map_err(|error| Fault::Gone(format!("{error:#}")))?
            }
        };
        let answer = Self::ask(&mut process, number, question, self.patience);
        if !answer.as_ref().is_err_and(Fault::is_of_the_process) {
            self.process = Some(process);
        }
        answer
    }
}

fn read(line: &str, asked: u64, last_words: impl Fn() -> String) -> Result<Answer, Fault> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Refusal {
        error: String,
    }
    let garbage = |why: String| {
        let line = line.chars().take(SHOWN).collect();
        Fault::Garbage { why, line, stderr: last_words() }
    };
    if line.len() >= LINE_BYTES {
        return Err(garbage(format!("a line of {} MiB without an end", LINE_BYTES >> 20)));
    }
    let mut answer: Value =
        serde_json::from_str(line).map_err(|error| garbage(error.to_string()))?;
    let id = answer.as_object_mut().and_then(|answer| answer.remove("id"));
    match id.as_ref().and_then(Value::as_u64) {
        Some(id) if id == asked => {}
        Some(answered) => {
            return Err(Fault::OutOfOrder { asked, answered, stderr: last_words() });
        }
        None => return Err(garbage("it has no `id`".to_owned())),
    }
    if answer.get("error").is_some() {
        let refusal: Refusal =
            serde_json::from_value(answer).map_err(|error| garbage(error.to_string()))?;
        return Err(Fault::Refused(refusal.error));
    }
    serde_json::from_value(answer).map_err(|error| garbage(error.to_string()))
}

impl Process {
    fn start(command: &[String]) -> anyhow::Result<Self> {
        let [program, arguments @ ..] = command else {
            anyhow::bail!("the command is empty");
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A process group, so that the processes that a shell or npm starts are killed with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let (questions, asked) = mpsc::channel();
        // A process that writes without a question is blocked by its pipe, and then killed.
        let (heard, lines) = mpsc::sync_channel(LINES);
        let stderr = Arc::default();
        // Each pipe has a thread, so that a full one does not block the others.
        if let Some(stdin) = child.stdin.take() {
            thread::spawn(move || write_all(stdin, &asked));
        }
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || read_lines(stdout, LINE_BYTES, |line| heard.send(line).is_ok()));
        }
        if let Some(pipe) = child.stderr.take() {
            let kept = Arc::clone(&stderr);
            thread::spawn(move || read_lines(pipe, STDERR_BYTES, |line| keep(&kept, line)));
        }
        Ok(Self { child, questions, lines, stderr })
    }

    /// How the process ended, and the end of its standard error.
    fn death(&mut self) -> Fault {
        let mut waited = Duration::ZERO;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if waited < LAST_BREATH => {
                    thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Ok(None) => break "it closed its output and is still running".to_owned(),
                Err(error) => break error.to_string(),
            }
        };
        Fault::Died { status, stderr: self.last_words() }
    }

    fn last_words(&self) -> String {
        // Its last line may still be in the pipe.
        thread::sleep(PAUSE);
        let stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        stderr.iter().cloned().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may be gone already, which is fine.
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn write_all(mut stdin: ChildStdin, questions: &Receiver<String>) {
    for question in questions {
        if stdin.write_all(question.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// A longer line is cut into pieces.
fn read_lines(pipe: impl Read, limit: usize, mut take: impl FnMut(String) -> bool) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut pipe).take(limit as u64).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if take(String::from_utf8_lossy(&line).trim_end().to_owned()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(_) | Err(_) => return,
        }
    }
}

fn keep(lines: &Mutex<VecDeque<String>>, line: String) -> bool {
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.push_back(line);
    if lines.len() > STDERR_LINES {
        lines.pop_front();
    }
    true
}
