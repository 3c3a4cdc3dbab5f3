//! The load server in processes of its own: the embedded server of a round, and those that share the
//! port of a server, since each process has its own limit of open files.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_load::server::Server;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::processes::input_ended;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::group::{self, Group};
use crate::interrupt::interrupted;
use crate::screen;

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
        Self::at("127.0.0.1:0", &[]).await
    }

    async fn at(listen: &str, more: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("find this program")?;
        let mut server = Command::new(program);
        let arguments = ["serve", "--load", "--with-parent", "--listen", listen];
        server.args(arguments).args(more).stdin(Stdio::piped()).stdout(Stdio::piped());
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

/// Serves until the user ends it, with so many processes in all; prints these lines as soon as all of
/// them listen.
pub(crate) async fn serve(
    server: Server,
    lines: &str,
    processes: u32,
    with_parent: bool,
) -> Result<Exit, Blame> {
    let listen = server.address().to_string();
    let mut others = Vec::new();
    for _ in 1..processes {
        others.push(Embedded::at(&listen, &["--reuse-port"]).await.usage()?);
    }
    screen::print(lines)?;
    tokio::select! {
        () = interrupted() => {}
        () = input_ended(), if with_parent => {}
    }
    for other in others {
        other.stop().await;
    }
    Ok(Exit::Held)
}
