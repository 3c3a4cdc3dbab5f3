//! `sseproof reference-client`: the reference client, or one with a known fault, as an adapter.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use sseproof_check_client::{Carrier as _, Embedded, Notice};
use sseproof_client_rules::{Command, Kind, Line, REFERENCE, mutants};
use sseproof_net::{Direct, Tls, TlsOptions};
use tokio::sync::mpsc::unbounded_channel;

use crate::exit::{Blame, Blamed as _, Exit};
use crate::screen;

pub(crate) async fn run(mutant: Option<&str>) -> Result<Exit, Blame> {
    let (hooks, kind) = match mutant {
        None => (REFERENCE, Kind::Eventsource),
        Some(id) => {
            let found = mutants().find(|(_, mutant)| mutant.id == id);
            let unknown =
                || format!("unknown mutant `{id}`; `sseproof list mutants --clients` lists them");
            let (_, mutant) = found.with_context(unknown).usage()?;
            (mutant.hooks, mutant.kind)
        }
    };
    let mut client = Embedded::new(hooks, Arc::new(Direct)).of(kind).trusting(tls().usage()?);
    let (out, mut said) = unbounded_channel();
    let hello = client.start(out).await.unreachable()?;
    if !write(&Line::hello(hello))? {
        return Ok(Exit::Held);
    }
    let (read, mut lines) = unbounded_channel();
    // A thread, since a read from standard input cannot be given up.
    std::thread::spawn(move || std::io::stdin().lines().try_for_each(|line| read.send(line)));
    loop {
        tokio::select! {
            line = lines.recv() => {
                let Some(line) = line else { return Ok(Exit::Held) };
                let line = line.context("cannot read standard input").usage()?;
                let command: Command = serde_json::from_str(&line)
                    .map_err(|error| anyhow!("a line is not a command ({error}): {line}"))
                    .usage()?;
                client.send(command);
            }
            Some(Notice::Call { id, call, .. }) = said.recv() => {
                if !write(&Line::of(id, call))? {
                    return Ok(Exit::Held);
                }
            }
        }
    }
}

/// The trusted certificates, with those of the file that the environment names.
fn tls() -> anyhow::Result<Tls> {
    let Some(file) = std::env::var_os("SSEPROOF_CA") else { return Ok(Tls::default()) };
    let name = Path::new(&file).display().to_string();
    let pem = std::fs::read(&file).with_context(|| format!("cannot read SSEPROOF_CA {name}"))?;
    let ca = Some((name, pem));
    Ok(Tls::new(TlsOptions { ca, ..TlsOptions::default() })?)
}

/// `false` if the reader is gone.
fn write(line: &Line) -> Result<bool, Blame> {
    let text = serde_json::to_string(line).context("write JSON")?;
    screen::print_json(&format!("{text}\n"))
}
