//! `sseproof serve`: the reference server, a mutant of it, a recording, the corpus, or a target for load.
//!
//! All except the last log each request on standard error.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use sseproof_check_client::{Certificates, server_of};
use sseproof_check_parser::{Browser, Served as OfCorpus};
use sseproof_client_rules::{Origins, Transport};
use sseproof_files::{GaugeHook, PublishHook, RequestHook, RestartHook, Target};
use sseproof_http::{Answer, Plan};
use sseproof_load::server::{Server, ServerOptions};
use sseproof_net::{Identity, IdentityOptions, Lab, Served, ServedEnd};
use sseproof_record::Tape;
use sseproof_rules::{Profile, mutants, profile, profiles_of, reference};
use sseproof_units::{counted, duration};
use tokio::net::TcpListener;

use crate::exit::{Blame, Blamed as _, Exit};
use crate::interrupt::interrupted;
use crate::{recorded, screen};

pub(crate) const PATH: &str = "/events";

pub(crate) async fn corpus(listen: &str, tls: Option<&Path>) -> Result<Exit, Blame> {
    let corpus = Browser::default();
    let lab = Lab::new(move |visit| match corpus.answer(visit.request) {
        OfCorpus::Plan(plan) => plan,
        OfCorpus::Result(plan, found) => {
            // For a script; the page shows the result too.
            let _ = screen::print_json(&format!("{found}\n"));
            plan
        }
    });
    serve(listen, "the corpus, to be opened in a browser,", "/", lab, tls).await
}

/// Starts the load server; returns it with the lines that name its address.
pub(crate) async fn load(
    listen: &str,
    tls: Option<&Path>,
    shares_port: bool,
) -> Result<(Server, String), Blame> {
    let cannot = || format!("cannot listen on {listen} (write it as 127.0.0.1:8080)");
    let addresses = tokio::net::lookup_host(listen).await.with_context(cannot).usage()?;
    let address = addresses.into_iter().next().with_context(cannot).usage()?;
    let mut options = ServerOptions { listen: address, shares_port, ..ServerOptions::default() };
    let mut scheme = "http";
    if let Some(file) = tls {
        options.tls = Some(identity(address, file, &["http/1.1"])?.server_config());
        scheme = "https";
    }
    let server = Server::start(&options).with_context(cannot).usage()?;
    let address = server.address();
    let lines = format!(
        "the load server listens on {scheme}://{address}{PATH}\n{scheme}://{address}/ lists all paths and parameters\n{}",
        exposed(address)
    );
    Ok((server, lines))
}

pub(crate) async fn run(
    listen: &str,
    mutant: Option<&str>,
    play: Option<&Path>,
    chosen: Option<&str>,
    tls: Option<&Path>,
) -> Result<Exit, Blame> {
    if let Some(file) = play {
        let tape = tape(file).usage()?;
        let name = format!("a player of {} ({})", file.display(), counted(tape.len(), "exchange"));
        return serve(listen, &name, PATH, player(tape), tls).await;
    }
    let mut chosen = chosen.and_then(profile);
    let (name, answer) = match mutant {
        None => match chosen {
            None => ("the reference server".to_owned(), reference::answer as Answer),
            Some(profile) => (format!("the reference server of {}", profile.id), profile.answer),
        },
        Some(id) => {
            let (rule, mutant) = mutants()
                .find(|(_, mutant)| mutant.id == id)
                .with_context(|| {
                    format!("unknown mutant `{id}`; `sseproof list mutants` lists all mutants")
                })
                .usage()?;
            // A mutant of a rule of one profile cannot serve another profile.
            let own: Vec<_> = profiles_of(rule).collect();
            if let Some(profile) = chosen
                && !own.iter().any(|own| own.id == profile.id)
            {
                let error = anyhow::anyhow!(
                    "the profile {} has no mutant `{id}`, which breaks {}; {}",
                    profile.id,
                    rule.id,
                    own.first().map_or("remove --profile".to_owned(), |own| {
                        format!("write --profile {}", own.id)
                    })
                );
                return Err(Blame { exit: Exit::Usage, error });
            }
            chosen = chosen.or_else(|| own.first().copied());
            (
                format!("the mutant {id}, which {} and breaks {}", mutant.wrong, rule.id),
                mutant.serve,
            )
        }
    };
    serve(listen, &name, path(chosen), Lab::new(answer), tls).await
}

/// The server of a case, for a client that is tried by hand.
pub(crate) async fn case(listen: &str, name: &str, tls: Option<&Path>) -> Result<Exit, Blame> {
    let rule = sseproof_client_rules::rule(name);
    let case = rule.map_or(name, |rule| rule.cases.first().copied().unwrap_or_default());
    let case = sseproof_client_rules::cases()
        .find(|known| known.id == case)
        .with_context(|| {
            format!(
                "`{name}` is neither a rule on clients nor a case of one; `sseproof list rules --clients` lists the rules, and `sseproof explain RULE` its cases"
            )
        })
        .usage()?;
    let is_secure = tls.is_some() || case.over != Transport::Http1;
    let scheme = if is_secure { "https" } else { "http" };
    let port = listen.rsplit_once(':').map_or("80", |(_, port)| port);
    let origins = Origins {
        own: format!("{scheme}://{listen}"),
        other: format!("{scheme}://localhost:{port}"),
        plain: format!("http://{listen}"),
    };
    let what = format!("the case {}, in which {},", case.id, case.about);
    let lab = server_of(case, origins);
    if case.over == Transport::Http1 {
        return serve(listen, &what, "/", lab, tls).await;
    }
    let file = tls
        .with_context(|| {
            format!("the case {} needs TLS: name a file for the CA with --tls FILE", case.id)
        })
        .usage()?;
    let certificates = Certificates::default();
    let authority = certificates.authority().context("make a certificate")?;
    write_authority(file, authority)?;
    let lab = certificates.over(&lab, case.over).context("make a certificate")?;
    accepts(bound(listen).await?, &what, "/", lab, scheme).await
}

pub(crate) async fn hostile(listen: &str, name: &str, tls: Option<&Path>) -> Result<Exit, Blame> {
    let server = sseproof_rules::hostile()
        .find(|server| server.id == name)
        .with_context(|| format!("unknown attack `{name}`"))
        .usage()?;
    let what = format!("the attack {name}, which {},", server.wrong);
    serve(listen, &what, PATH, Lab::new(server.serve), tls).await
}

fn tape(file: &Path) -> anyhow::Result<Tape> {
    let recorded = recorded::read("--play", file)?;
    if let Some(cut) = &recorded.cut {
        screen::say(format_args!(
            "sseproof: {}, {cut}; the part before it is played",
            file.display()
        ));
    }
    let tape = Tape::new(recorded.transcript);
    if tape.is_empty() {
        anyhow::bail!("--play {} has no response to play", file.display());
    }
    Ok(tape)
}

/// A server that plays the tape, and logs the number of each exchange that it plays.
fn player(tape: Tape) -> Lab {
    let tape = Mutex::new(tape);
    Lab::new(move |visit| {
        let asked = visit.request.label();
        match tape.lock().unwrap_or_else(PoisonError::into_inner).answer(visit.request) {
            Some((number, plan)) => {
                screen::say(format_args!("{asked}: exchange {number}"));
                plan
            }
            None => {
                screen::say(format_args!("{asked}: no such request was recorded"));
                Plan::answer(404, "text/plain", "no such request was recorded\n")
            }
        }
    })
}

async fn serve(
    listen: &str,
    name: &str,
    path: &str,
    lab: Lab,
    tls: Option<&Path>,
) -> Result<Exit, Blame> {
    let listener = bound(listen).await?;
    let Some(file) = tls else { return accepts(listener, name, path, lab, "http").await };
    let address = listener.local_addr().context("get the port")?;
    let lab = lab.over_tls(identity(address, file, &["h2", "http/1.1"])?);
    accepts(listener, name, path, lab, "https").await
}

async fn bound(listen: &str) -> Result<TcpListener, Blame> {
    TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen} (write it as 127.0.0.1:8080)"))
        .usage()
}

/// Serves until the user ends it, with a line in the log for each request.
async fn accepts(
    listener: TcpListener,
    name: &str,
    path: &str,
    lab: Lab,
    scheme: &str,
) -> Result<Exit, Blame> {
    let address = listener.local_addr().context("get the port")?;
    let lab = lab
        .handshakes(|result| {
            if let Err(error) = result {
                screen::say(format_args!("the TLS handshake of a client failed: {error}"));
            }
        })
        .observed(|served| screen::say(logged(served)));
    screen::print(&format!("{name} listens on {scheme}://{address}{path}\n{}", exposed(address)))?;
    tokio::select! {
        () = lab.listen(listener) => {}
        () = interrupted() => {}
    }
    Ok(Exit::Held)
}

/// A line of the log: when, which request, and how its response ended.
fn logged(served: &Served<'_>) -> String {
    let Served { request, number, end } = served;
    let now = jiff::Timestamp::now();
    let now = now.round(jiff::Unit::Millisecond).unwrap_or(now);
    let asked = request.label();
    match end {
        None => {
            let id = request.headers.first("last-event-id");
            let id = id.map_or_else(String::new, |id| format!(", Last-Event-ID {id}"));
            format!("{now:.3} #{number} {asked}{id}")
        }
        Some((end, took)) => {
            let ended = match end {
                ServedEnd::Complete => "complete",
                ServedEnd::Closed => "the server closed the connection",
                ServedEnd::Reset => "the server reset the connection",
                ServedEnd::Disconnected => "the client disconnected",
            };
            format!("{now:.3} #{number} {asked}: {ended} after {}", duration(*took))
        }
    }
}

/// A line for an address that other machines may reach; empty for a loopback address.
fn exposed(address: SocketAddr) -> &'static str {
    if address.ip().is_loopback() {
        return "";
    }
    "this is not a loopback address: other machines can use the server, without credentials\n"
}

fn identity(address: SocketAddr, file: &Path, alpn: &[&str]) -> Result<Identity, Blame> {
    let options = IdentityOptions {
        hosts: vec![address.ip().to_string(), "localhost".to_owned()],
        alpn: alpn.iter().map(|&name| name.to_owned()).collect(),
        ..IdentityOptions::default()
    };
    let identity = Identity::new(&options).context("make a certificate")?;
    write_authority(file, identity.authority())?;
    Ok(identity)
}

fn write_authority(file: &Path, pem: &str) -> Result<(), Blame> {
    let written = std::fs::write(file, pem);
    written.with_context(|| format!("cannot write --tls {}", file.display())).usage()
}

/// Serves the reference on a port of its own; returns the URL of the stream.
pub(crate) async fn embedded(profile: Option<&Profile>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen on 127.0.0.1")?;
    let address = listener.local_addr().context("get the port")?;
    let answer = profile.map_or(reference::answer as Answer, |profile| profile.answer);
    tokio::spawn(async move { Lab::new(answer).listen(listener).await });
    Ok(format!("http://{address}{}", path(profile)))
}

pub(crate) fn offer(target: &mut Target) {
    target.publish = Some(PublishHook::json("POST", "/publish/parts").on_stream("/published"));
    target.active = Some(GaugeHook::http("GET", "/active"));
    target.memory = Some(GaugeHook::http("GET", "/memory"));
    target.restart = Some(RestartHook::Http(Box::new(RequestHook::new("POST", "/restart"))));
    target.via = Some(target.url.replace(PATH, &format!("/via{PATH}")));
}

fn path(profile: Option<&Profile>) -> &'static str {
    profile.map_or(PATH, |profile| profile.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_others_reach_is_named() {
        for (address, is_named) in [
            ("127.0.0.1:80", false),
            ("[::1]:80", false),
            ("0.0.0.0:80", true),
            ("10.1.2.3:80", true),
        ] {
            assert_eq!(!exposed(address.parse().unwrap()).is_empty(), is_named, "{address}");
        }
    }
}
