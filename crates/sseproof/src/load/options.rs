//! The command line and the plan's file, merged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_files::{Body, PlanFile, Template, Variables, plans};
use sseproof_load_model::{
    Http, Plan, Profile, Publishing, Rate, Reconnecting, Requests, Sequencing, Stage, Stamping,
    Subscribe, Transport, Workload,
};

use super::args::Load;
use crate::check;
use crate::connection::FileKeys;
use crate::exit::{Blame, Blamed as _};

/// A load that is ready to run.
pub(super) struct LoadOptions {
    pub(super) file: PlanFile,
    /// The path of the plan's file, if there is one.
    path: Option<PathBuf>,
    /// One, or two to be compared; a URL that is only a path is on the embedded server.
    pub(super) sides: Vec<Side>,
}

impl LoadOptions {
    /// The keys of the plan about the connection.
    pub(super) fn keys(&self) -> Option<FileKeys<'_>> {
        let file = self.path.as_deref()?;
        let (ca, insecure) = (self.file.ca.as_ref(), self.file.insecure);
        Some(FileKeys { file, ca, insecure, unix_socket: None })
    }
}

/// A URL that gets the load.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) transport: Transport,
    pub(super) url: Template,
}

impl Side {
    pub(super) fn is_embedded(&self) -> bool {
        self.url.fill(0).starts_with('/')
    }
}

/// The stream of the embedded server, if no URL is given.
const EVENTS: &str = "/events?every=1s&size=100";
/// The same as a WebSocket.
const MESSAGES: &str = "/ws?every=1s&size=100";

pub(super) fn given(arguments: &Load) -> Result<LoadOptions, Blame> {
    let what = arguments.what.as_deref();
    let is_url = what.is_some_and(|what| what.contains("://"));
    let (path, mut file) = match what {
        Some(what) if !is_url => read(what, arguments)?,
        _ => (
            None,
            PlanFile {
                plan: plan(arguments).usage()?,
                why: None,
                url: None,
                websocket: None,
                ca: None,
                insecure: false,
                headers: Vec::new(),
                method: "GET".to_owned(),
                body: None,
                publish: None,
            },
        ),
    };
    for header in check::headers(&arguments.header).usage()?.0 {
        let value = String::from_utf8_lossy(header.value.as_ref());
        file.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&header.name));
        file.headers.push((header.name, Template::plain(value)));
    }
    let is_flags = what.is_none() || is_url;
    if let Some(protocol) = arguments.profile.filter(|_| is_flags) {
        ask_as(protocol, &mut file, arguments).usage()?;
    }
    if let Some(text) = &arguments.body {
        file.body = Some(match text.strip_prefix('@') {
            Some(path) => Body::File(path.into()),
            None => Body::Text(Template::plain(text)),
        });
        if file.method == "GET" {
            "POST".clone_into(&mut file.method);
        }
    }
    if let Some(hook) = &arguments.publish {
        file.publish = Some(hook.clone());
        file.plan.publishing = Some(Publishing {
            rate: arguments.rate.unwrap_or(1.0),
            arrivals: arguments.arrivals,
            size: usize::try_from(arguments.size).unwrap_or(usize::MAX),
            after: Duration::ZERO,
        });
    }
    let is_embedded = what.is_none() && arguments.url.is_none();
    let publishes = file.plan.publishing.is_some();
    if let Some(stamping) = &arguments.stamp {
        file.plan.stamping = stamping.clone();
    } else if is_flags && (publishes || is_embedded) {
        file.plan.stamping = Stamping::Own;
    }
    if let Some(sequencing) = &arguments.sequence {
        file.plan.sequencing = sequencing.clone();
    } else if is_flags && (publishes || is_embedded) {
        file.plan.sequencing = Sequencing::Own;
    }
    if let Some(patience) = arguments.timeout {
        file.plan.patience = patience;
    }
    file.plan.thresholds.extend(arguments.outputs.fail_if.iter().cloned());
    let sides = sides(arguments, what.filter(|_| is_url), &file)?;
    file.plan.http = http(arguments, file.plan.http).usage()?;
    if file.plan.http != Http::One {
        carried(&file, &sides).usage()?;
    }
    Ok(LoadOptions { file, path, sides })
}

/// The version of HTTP, by the flags, and otherwise by the plan.
fn http(arguments: &Load, planned: Http) -> anyhow::Result<Http> {
    let planned = match (arguments.connection.is_http2(), planned) {
        (Some(false), _) => Http::One,
        (Some(true), Http::One) => Http::Two { streams_per_connection: Http::USUAL_STREAMS },
        (_, planned) => planned,
    };
    match (arguments.streams_per_connection, planned) {
        (None, planned) => Ok(planned),
        (Some(streams_per_connection), Http::Two { .. }) => {
            Ok(Http::Two { streams_per_connection })
        }
        (Some(_), Http::One) => bail!(
            "over HTTP/1.1, each stream has its own connection: add --http 2, or remove --streams-per-connection"
        ),
    }
}

/// The fields that RFC 9113 section 8.2.2 forbids.
const ONLY_HTTP1: [&str; 5] =
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Fails if HTTP/2 cannot carry the load.
fn carried(file: &PlanFile, sides: &[Side]) -> anyhow::Result<()> {
    let is_sse = |side: &&Side| side.transport == Transport::Sse;
    if !sides.iter().any(|side| is_sse(&side)) {
        bail!(
            "`sseproof load` opens WebSockets over HTTP/1.1; use --http 2 with the URL of an event stream"
        );
    }
    if sides.iter().filter(is_sse).any(Side::is_embedded) {
        bail!(
            "the embedded server speaks HTTP/1.1: pass the URL of a server that speaks HTTP/2, or remove --http 2"
        );
    }
    let forbidden = |(name, _): &&(String, Template)| {
        ONLY_HTTP1.iter().any(|only| name.eq_ignore_ascii_case(only))
    };
    match file.headers.iter().find(forbidden) {
        Some((name, _)) => bail!("HTTP/2 forbids the header field `{name}`: remove it"),
        None => Ok(()),
    }
}

/// Sets method, header fields and body of the protocol; flags for the same win.
fn ask_as(protocol: Profile, file: &mut PlanFile, arguments: &Load) -> anyhow::Result<()> {
    let Some(profile) = sseproof_rules::profile(protocol.id()) else { return Ok(()) };
    profile.method.clone_into(&mut file.method);
    for (name, value) in profile.headers {
        if !file.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            file.headers.push(((*name).to_owned(), Template::plain(*value)));
        }
    }
    let mut known = Variables::with_environment(check::variables(&arguments.var)?);
    for (name, value) in profile.variables {
        known.given.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
    }
    let body = known.fill(profile.body).map_err(|what| {
        anyhow::anyhow!("cannot fill in the body of the profile {}: {what}", profile.id)
    })?;
    file.body = Some(Body::Text(Template::plain(body)));
    Ok(())
}

fn read(what: &str, arguments: &Load) -> Result<(Option<PathBuf>, PlanFile), Blame> {
    let known = Variables::with_environment(check::variables(&arguments.var).usage()?);
    if let Some(ready) = plans().iter().find(|plan| plan.id == what) {
        let name = format!("{}.yaml", ready.id);
        return Ok((None, PlanFile::parse(&name, ready.source, &known).usage()?));
    }
    if !Path::new(what).exists() {
        let names: Vec<_> = plans().iter().map(|plan| plan.id).collect();
        let error = anyhow::anyhow!(
            "`{what}` is not a URL, a file or a ready plan; the ready plans are {}",
            names.join(", ")
        );
        return Err(error).usage();
    }
    let source = fs::read_to_string(what).with_context(|| format!("cannot read {what}")).usage()?;
    let mut file = PlanFile::parse(what, &source, &known).usage()?;
    let path = PathBuf::from(what);
    if let Some(Body::File(body)) = &mut file.body {
        *body = path.parent().unwrap_or(Path::new("")).join(&*body);
    }
    Ok((Some(path), file))
}

fn plan(arguments: &Load) -> anyhow::Result<Plan> {
    let arrivals = arguments.arrivals;
    let second = Duration::from_secs(1);
    let workload = match arguments.profile {
        Some(profile) => {
            let clients = arguments.connections;
            let rate = match (arguments.rate, clients) {
                (Some(_), Some(_)) => {
                    bail!("--rate is an open model, --connections a closed one; use one of them")
                }
                (None, Some(clients)) => Rate::Closed { clients, think: Duration::ZERO },
                (rate, None) => {
                    let rate = rate.unwrap_or(10.0);
                    Rate::Open { from: rate, to: rate, arrivals }
                }
            };
            let lasting = arguments.duration.unwrap_or(10 * second);
            let objectives = arguments.objective.clone();
            Workload::Request(Requests { rate, lasting, profile, objectives })
        }
        None => {
            let to = arguments.connections.unwrap_or(500);
            let over = arguments.ramp.unwrap_or(4 * second);
            let lasting = arguments.hold.or(arguments.duration).unwrap_or(10 * second);
            let mut stages = vec![
                Stage::Ramp { to, over, plateaus: arguments.plateaus },
                Stage::Hold { lasting },
            ];
            if let Some(share) = arguments.storm {
                stages.push(Stage::Storm { share, lasting: 10 * second });
            }
            Workload::Subscribe(Subscribe {
                stages,
                arrivals,
                lifetime: None,
                slow: None,
                reconnecting: Reconnecting::default(),
            })
        }
    };
    Ok(Plan {
        name: "by flags".to_owned(),
        seed: arguments.seed,
        workload,
        http: Http::One,
        publishing: None,
        stamping: Stamping::None,
        sequencing: Sequencing::None,
        interval: second,
        patience: 10 * second,
        drain: second,
        thresholds: Vec::new(),
    })
}

fn sides(arguments: &Load, url: Option<&str>, file: &PlanFile) -> Result<Vec<Side>, Blame> {
    let plain = |text: &str| Template::plain(text);
    let url = arguments.url.as_deref().or(url).map(plain).or_else(|| file.url.clone());
    let versus = arguments.versus.as_deref().map(plain).or_else(|| file.websocket.clone());
    let is_request = matches!(file.plan.workload, Workload::Request(_));
    let (url, versus) = match (url, versus) {
        (None, None) if is_request => (Some(plain("/chat")), None),
        (None, None) => (Some(plain(EVENTS)), Some(plain(MESSAGES))),
        given => given,
    };
    let side = |url: Template| {
        let first = url.fill(0);
        let is_message =
            first.starts_with("ws:") || first.starts_with("wss:") || first.starts_with("/ws");
        let transport = if is_message { Transport::WebSocket } else { Transport::Sse };
        Side { transport, url }
    };
    let sides: Vec<_> = url.into_iter().chain(versus).map(side).collect();
    if is_request && sides.iter().any(|side| side.transport == Transport::WebSocket) {
        let error = anyhow::anyhow!(
            "requests need streams that end, which WebSockets do not have; pass the URL of an event stream"
        );
        return Err(error).usage();
    }
    Ok(sides)
}
