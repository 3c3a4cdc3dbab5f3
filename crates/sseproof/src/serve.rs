//! `sseproof serve`: the reference server, or a mutant of it.

use std::net::SocketAddr;

use anyhow::Context as _;
use sseproof_exchange::Answer;
use sseproof_net::Lab;
use sseproof_rules::{mutants, reference};
use sseproof_scenario::PublishHook;
use tokio::net::TcpListener;

use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::interrupted;
use crate::screen;

/// The path of the stream.
pub(crate) const PATH: &str = "/events";

/// Serves until Ctrl-C.
pub(crate) async fn run(listen: &str, mutant: Option<&str>) -> Result<Exit, Blame> {
    let (name, answer) = match mutant {
        None => ("the reference server".to_owned(), reference::answer as Answer),
        Some(id) => {
            let (rule, mutant) = mutants()
                .find(|(_, mutant)| mutant.id == id)
                .with_context(|| {
                    format!("there is no mutant `{id}`; `sseproof list mutants` names them all")
                })
                .usage()?;
            (
                format!("the mutant {id}, which {} and breaks {}", mutant.wrong, rule.id),
                mutant.serve,
            )
        }
    };
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (write it as 127.0.0.1:8080)"))
        .usage()?;
    let address = listener.local_addr().context("ask for the port")?;
    screen::print(&format!("{name} listens on {}\n", url(address)))?;
    let lab = Lab::new(answer);
    tokio::select! {
        ended = lab.listen(listener) => {
            ended.context("accept connections")?;
        }
        () = interrupted() => {}
    }
    Ok(Exit::Held)
}

/// Serves the reference in the background, on a port of the system's choice, and gives the URL.
pub(crate) async fn embedded() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen on 127.0.0.1")?;
    let address = listener.local_addr().context("ask for the port")?;
    tokio::spawn(async move { Lab::new(reference::answer).listen(listener).await });
    Ok(url(address))
}

/// How to publish to the reference.
pub(crate) fn embedded_hook() -> PublishHook {
    PublishHook::http("POST", "/publish").on_stream("/published")
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}{PATH}")
}
