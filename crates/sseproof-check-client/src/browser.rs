//! The `EventSource` of a browser: a page of ours drives it, and no driver of browsers is needed.
//!
//! The page reads its commands from a response that does not end, and posts its messages in
//! numbered batches, since two requests may arrive in any order. The servers of the cases have ports
//! of their own, so they are other origins, and the six connections that a browser opens to a server
//! limit only the connections of one case.

mod command;

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sseproof_client_rules::{Command, Heard, Hello, Line, Transport};
use sseproof_http::{Action, Framing, Plan};
use sseproof_net::Lab;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};

pub use command::browser_command;

use crate::in_order::InOrder;
use crate::{BoxFuture, Carrier, Ground as _, Notice, Place, Spawn, StartError, Tcp};

const PAGE: &str = include_str!("browser/page.html");
/// How long a browser may take to load the page.
const READY: Duration = Duration::from_secs(60);
const COMMANDS: &str = "commands";
/// The standard error of the browser, in its profile.
const STDERR: &str = "stderr.log";
/// How much of its end is shown.
const SHOWN: u64 = 2 << 10;

pub struct Browser {
    program: PathBuf,
    spawn: Spawn,
    trusted: Option<Trusted>,
    tab: Option<Tab>,
}

/// An authority that a browser trusts.
pub(crate) struct Trusted {
    /// The file with the certificate of an authority.
    pub(crate) authority: PathBuf,
    /// The hash of the key of a server, in base64.
    pub(crate) key_hash: String,
}

/// A running browser. The fields are dropped in this order: it is killed before its profile goes.
struct Tab {
    _group: Box<dyn Send>,
    profile: Profile,
    lab: Lab,
    _place: Box<dyn Place>,
}

struct Profile(TempDir);

impl Browser {
    /// The browser of this program, a Firefox or one that takes the options of Chromium.
    pub fn new(program: impl Into<PathBuf>, spawn: Spawn) -> Self {
        Self { program: program.into(), spawn, trusted: None, tab: None }
    }

    /// The same, which trusts the authority of this file, or, if that cannot be set, the key of the
    /// server with this hash.
    #[must_use]
    pub fn trusting(self, authority: &Path, key_hash: String) -> Self {
        let trusted = Some(Trusted { authority: authority.to_owned(), key_hash });
        Self { trusted, ..self }
    }

    async fn begin(&mut self, out: UnboundedSender<Notice>) -> Result<Hello, StartError> {
        self.tab = None;
        let unreachable = |error: std::io::Error| StartError::Unreachable(error.to_string());
        let (greets, greeted) = unbounded_channel();
        let lab = server(out.clone(), greets);
        let place =
            Tcp::default().place(lab.clone(), Transport::Http1).await.map_err(unreachable)?;
        let profile = Profile(tempfile::tempdir().map_err(unreachable)?);
        let (child, group) = self.spawned(profile.path(), &place.origins().own)?;
        let stderr = profile.path().join(STDERR);
        self.tab = Some(Tab { _group: group, profile, lab, _place: place });
        let hello = first(child, greeted, out, stderr);
        match timeout(READY, hello).await {
            Ok(hello) => hello.map_err(|how| self.unusable(&how)),
            Err(_) => Err(self.unusable(&format!("no page is loaded after {} s", READY.as_secs()))),
        }
    }

    fn spawned(&self, profile: &Path, origin: &str) -> Result<(Child, Box<dyn Send>), StartError> {
        let start = || {
            let url = format!("{origin}/");
            let mut command = match &self.trusted {
                Some(trusted) => command::trusting(&self.program, profile, &url, trusted)?,
                None => browser_command(&self.program, profile, &url)?,
            };
            command.stderr(Stdio::from(fs::File::create(profile.join(STDERR))?));
            (self.spawn)(&mut command)
        };
        start().map_err(|error| StartError::Spawn {
            program: self.program.display().to_string(),
            error: error.to_string(),
        })
    }

    fn unusable(&self, how: &str) -> StartError {
        let said = self.stderr();
        let said = if said.is_empty() { said } else { format!("; standard error: {said}") };
        StartError::Unreachable(format!("{} does not work: {how}{said}", self.program.display()))
    }
}

impl Carrier for Browser {
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>> {
        Box::pin(self.begin(out))
    }

    fn send(&mut self, command: Command) {
        let Some(tab) = &self.tab else { return };
        let command = serde_json::to_string(&command).unwrap_or_default();
        tab.lab.publish(COMMANDS, format!("data: {command}\n\n").into());
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        self.tab = None;
        Box::pin(async {})
    }

    fn stderr(&self) -> String {
        self.tab.as_ref().map(|tab| end_of(&tab.profile.path().join(STDERR))).unwrap_or_default()
    }
}

/// Waits for the first message of the page; from then on, the end of the browser is reported.
///
/// # Errors
/// How the browser ended before.
async fn first(
    mut child: Child,
    mut greeted: UnboundedReceiver<Hello>,
    out: UnboundedSender<Notice>,
    stderr: PathBuf,
) -> Result<Hello, String> {
    let ended = |status: std::io::Result<_>| match status {
        Ok(status) => format!("the browser ended: {status}"),
        Err(error) => format!("the browser ended: {error}"),
    };
    tokio::select! {
        Some(hello) = greeted.recv() => {
            tokio::spawn(async move {
                let how = ended(child.wait().await);
                // The run may be over.
                let _ = out.send(Notice::Died(format!("{how}; standard error: {}", end_of(&stderr))));
            });
            Ok(hello)
        }
        status = child.wait() => Err(ended(status)),
    }
}

/// The server of the page.
fn server(out: UnboundedSender<Notice>, greets: UnboundedSender<Hello>) -> Lab {
    let order: Arc<Mutex<InOrder<Vec<u8>>>> = Arc::default();
    Lab::new(move |visit| {
        let request = visit.request;
        match (request.method.as_str(), request.path()) {
            ("GET", "/") => Plan::answer(200, "text/html; charset=utf-8", PAGE),
            ("GET", "/commands") => commands(),
            ("POST", path) => {
                let number = path.strip_prefix("/messages/").and_then(|path| path.parse().ok());
                let Some(number) = number else { return not_found() };
                let mut order = order.lock().unwrap_or_else(PoisonError::into_inner);
                for batch in order.push(number, request.body.to_vec()) {
                    read(&batch, &out, &greets);
                }
                Plan::answer(200, "text/plain", "")
            }
            _ => not_found(),
        }
    })
}

fn commands() -> Plan {
    let headers = [("Content-Type", "text/plain"), ("Cache-Control", "no-store")];
    let headers = headers.into_iter().collect();
    let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
    Plan { actions: vec![head, Action::Follow { topic: COMMANDS.to_owned(), after: 0 }] }
}

fn not_found() -> Plan {
    Plan::answer(404, "text/plain", "not found\n")
}

/// Passes on the messages of a batch.
fn read(batch: &[u8], out: &UnboundedSender<Notice>, greets: &UnboundedSender<Hello>) {
    for line in batch.split(|byte| *byte == b'\n') {
        let heard = serde_json::from_slice(line).map_err(|error| error.to_string());
        let heard = heard.and_then(|line: Line| line.heard().map_err(str::to_owned));
        // The run may be over.
        let _ = match heard {
            Ok(Heard::Hello(hello)) => greets.send(hello).is_ok(),
            Ok(Heard::Call { id, call }) => {
                out.send(Notice::Call { at: Instant::now(), id, call }).is_ok()
            }
            Err(why) => {
                let line: String = String::from_utf8_lossy(line).chars().take(200).collect();
                let died = format!("a line of the page is not a message ({why}): {line}");
                out.send(Notice::Died(died)).is_ok()
            }
        };
    }
}

/// The end of a file, or nothing if it cannot be read.
fn end_of(path: &Path) -> String {
    let read = || {
        let mut file = fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SHOWN)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        std::io::Result::Ok(String::from_utf8_lossy(&end).trim().to_owned())
    };
    read().unwrap_or_default()
}

impl Profile {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        /// How often it is tried, and the pause between: a killed browser writes until it is gone.
        const ATTEMPTS: (usize, Duration) = (50, Duration::from_millis(20));
        for _ in 0..ATTEMPTS.0 {
            if fs::remove_dir_all(self.path()).is_ok() || !self.path().exists() {
                return;
            }
            std::thread::sleep(ATTEMPTS.1);
        }
    }
}
