//! The embedded server of a round.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::group::{self, Group};

const READY: Duration = Duration::from_secs(10);

/// The embedded server, in its own process, so that its cost can be separated from the generator's.
pub(super) struct Embedded {
    child: Child,
    _group: Option<Group>,
    /// Kept open, so that the server can continue to write.
    _lines: Lines<BufReader<ChildStdout>>,
    pub(super) origin: String,
}

impl Embedded {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find this program")?;
        let mut server = Command::new(program);
        let arguments = ["serve", "--load", "--listen", "127.0.0.1:0"];
        server.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let started = group::spawn(&mut server);
        let (mut child, group) = started.context("start the embedded server")?;
        let output = child.stdout.take().context("read the output of the embedded server")?;
        let mut lines = BufReader::new(output).lines();
        let line = timeout(READY, lines.next_line())
            .await
            .context("the embedded server did not print its address")??
            .unwrap_or_default();
        let Some(at) = line.find("http://") else {
            bail!("the embedded server did not start: {line}");
        };
        let rest = &line[at..];
        let end = rest["http://".len()..].find('/').map_or(rest.len(), |end| end + "http://".len());
        let origin = rest[..end].trim().to_owned();
        Ok(Self { child, _group: group, _lines: lines, origin })
    }

    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    pub(super) async fn stop(mut self) {
        // It may have ended already.
        let _ = self.child.kill().await;
    }
}
