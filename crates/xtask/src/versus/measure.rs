//! A server is installed, then `sseproof load` plays a plan with both of its transports.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{INSTALLED, Load, Server};
use crate::root;

/// Ports that the system never assigns to a client, so that a server that is restarted finds its
/// port free.
const PORTS: std::ops::Range<u16> = 21_000..32_000;
/// A round needs this beside its plan: the start of the server, the last events, two seconds
/// without clients, and the end of the server.
const BESIDE: Duration = Duration::from_millis(3500);

/// The loads to play on a server, each with so many rounds.
pub(super) fn expected(loads: &[Load], rounds: u32) -> Duration {
    let each = loads.iter().filter_map(|load| load.plan());
    let both = each.map(|plan| (plan.plan.workload.lasting() + BESIDE) * 2 * rounds);
    both.sum()
}

pub(super) fn install(server: &Server) -> anyhow::Result<()> {
    let missing: Vec<_> = server.needs.iter().filter(|(what, _)| !is_there(what)).collect();
    if !missing.is_empty() {
        let each = missing.iter().map(|(need, how)| format!("{need} is missing; get {how}"));
        bail!("{}", each.collect::<Vec<_>>().join("; "));
    }
    let folder = folder(server);
    crate::peers::copy(&root().join("scenarios/versus").join(&server.server), &folder)?;
    for command in &server.install {
        crate::run(&folder, command)?;
    }
    Ok(())
}

pub(super) fn measure(
    server: &Server,
    load: Load,
    program: &Path,
    rounds: u32,
) -> anyhow::Result<()> {
    let start = shlex::try_join(server.start.iter().map(String::as_str)).context("join `start`")?;
    let port = free_port()?;
    let secure = if load.has_tls() { "s" } else { "" };
    let url = |scheme: &str, path: &str| format!("{scheme}{secure}://127.0.0.1:{port}/{path}");
    let mut command = Command::new(program);
    command
        .arg("load")
        .arg(load.path())
        .args(["--url", &url("http", "events"), "--versus", &url("ws", "ws")])
        .args(["--rounds", &rounds.to_string(), "--server-cmd", &start, "--json"])
        .arg(load.result(server))
        .env("PORT", port.to_string())
        .current_dir(folder(server));
    if load.has_tls() {
        let [cert, key] = certificate()?;
        command.arg("--ca").arg(&cert).env("CERT", cert).env("KEY", key);
    }
    if load == Load::Compress {
        command.env("COMPRESS", "1");
    }
    let status = command.status().with_context(|| format!("start {}", program.display()))?;
    // If the generator was the bottleneck, the page says so.
    if !matches!(status.code(), Some(0 | 1)) {
        bail!("sseproof load ended with {status}");
    }
    Ok(())
}

fn folder(server: &Server) -> PathBuf {
    root().join(INSTALLED).join(&server.server)
}

/// A certificate of 127.0.0.1, and its key.
fn certificate() -> anyhow::Result<[PathBuf; 2]> {
    let folder = root().join(INSTALLED);
    let files = ["cert.pem", "key.pem"].map(|name| folder.join(name));
    if files.iter().all(|file| file.exists()) {
        return Ok(files);
    }
    let command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem";
    crate::run(&folder, &command.split(' ').collect::<Vec<_>>())?;
    Ok(files)
}

pub(crate) fn is_there(what: &str) -> bool {
    if what.contains('/') {
        return Path::new(what).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(what).is_file())
}

pub(crate) fn free_port() -> anyhow::Result<u16> {
    let mut ports = PORTS;
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("find a free port")
}
