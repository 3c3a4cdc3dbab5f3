//! The real binary as a process, and servers for it to check.
#![expect(clippy::unwrap_used, reason = "a test ends where its surroundings fail")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// The variables of CI systems that change what the program does.
const CI: [&str; 8] = [
    "CI",
    "CI_CONFIG_PATH",
    "CI_PROJECT_DIR",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_WORKSPACE",
    "GITLAB_CI",
];

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The run ended with this code, and its output has each of these texts.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, says: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let said = format!("{}{}", self.out, self.err);
        for words in says {
            assert!(said.contains(words), "`{words}` is missing: {self:#?}");
        }
        assert!(!said.contains('\x1b'), "no colour on a pipe: {self:#?}");
        assert!(!said.contains("panicked"), "{self:#?}");
    }
}

pub(crate) fn sseproof(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sseproof"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // The tests may run in CI, and what they expect is that of any machine.
    for variable in CI {
        command.env_remove(variable);
    }
    command
}

pub(crate) fn run(arguments: &[&str]) -> Ran {
    finish(sseproof(arguments).spawn().unwrap())
}

/// The same once more, at most twice, if the machine was too busy for a load, which says nothing about
/// the program.
pub(crate) fn unhindered(run: impl Fn() -> Ran) -> Ran {
    let is_unhindered = |ran: &Ran| !ran.out.contains("the generator was the bottleneck");
    (0..2).map(|_| run()).find(is_unhindered).unwrap_or_else(&run)
}

pub(crate) fn run_with_input(arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = sseproof(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    finish(child)
}

pub(crate) fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

pub(crate) fn serve(more: &[&str]) -> Served {
    let mut arguments = vec!["serve"];
    arguments.extend(more);
    // A log without a reader must not stop the server.
    let mut child = sseproof(&arguments).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    Served { child, url }
}

impl Served {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn answering(answer: &[u8]) -> (String, std::sync::mpsc::Receiver<String>) {
    let answer = answer.to_vec();
    let (sender, requests) = std::sync::mpsc::channel();
    let address = accepting(move |mut stream| {
        let mut request = vec![0; 64 << 10];
        let read = stream.read(&mut request).unwrap_or(0);
        let _ = sender.send(String::from_utf8_lossy(&request[..read]).into_owned());
        let _ = stream.write_all(&answer);
    });
    (format!("http://{address}/events"), requests)
}

pub(crate) fn accepting(handle: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let handle = handle.clone();
            thread::spawn(move || handle(stream));
        }
    });
    address
}

/// An address for a server that starts later: below the ports that the system gives to connections,
/// one of which could take it until then.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() * 89 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (number % 12_000) as u16;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.name(name)
    }
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}
