//! The command line and the plan's file, merged.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use sseproof_files::{Body, PlanFile, PlanOverlay, Template, Variables, plans};
use sseproof_load_model::{
    Http, Plan, Protocol, Publishing, Rate, Requests, Sequencing, Stage, Stamping, Subscribe,
    Transport, Workload,
};
use sseproof_net::ConnectionOptions;

use super::args::Load;
use crate::check;
use crate::exit::{Blame, Blamed as _};

pub(super) struct LoadOptions {
    pub(super) file: PlanFile,
    /// One, or two to be compared; a URL that is only a path is on the embedded server.
    pub(super) sides: Vec<Side>,
}

#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) transport: Transport,
    pub(super) url: Template,
}

impl Side {
    pub(super) fn is_embedded(&self) -> bool {
        self.address().is_none()
    }

    /// The URL of the first client, if it is not on the embedded server.
    pub(super) fn address(&self) -> Option<String> {
        Some(self.url.fill(0)).filter(|url| !url.starts_with('/'))
    }

    pub(super) fn connection(
        &self,
        arguments: &Load,
        given: &LoadOptions,
    ) -> anyhow::Result<ConnectionOptions> {
        arguments.connection.options(self.address().as_deref(), &given.file.connection)
    }
}

const EVENTS: &str = "/events?every=1s&size=100";
const MESSAGES: &str = "/ws?every=1s&size=100";

pub(super) fn given(arguments: &Load) -> Result<LoadOptions, Blame> {
    let what = arguments.what.as_deref();
    let url = what.filter(|what| what.contains("://"));
    let variables = Variables::with_environment(check::variables(&arguments.var).usage()?);
    let file = match what {
        Some(named) if url.is_none() => read(named, &variables)?,
        _ => by_flags(arguments, variables).usage()?,
    };
    let flags = flags(arguments, url, file.plan.http).usage()?;
    let file = file.overlay(flags);
    let sides = sides(&file).usage()?;
    if file.plan.http != Http::One {
        carried(&file, &sides).usage()?;
    }
    Ok(LoadOptions { file, sides })
}

fn by_flags(arguments: &Load, variables: Variables) -> anyhow::Result<PlanFile> {
    let mut plan = Plan::new("by flags", workload(arguments)?);
    let is_embedded = arguments.what.is_none() && arguments.url.is_none();
    (plan.stamping, plan.sequencing) = match &plan.workload {
        _ if is_embedded || arguments.publish().is_some() => (Stamping::Own, Sequencing::Own),
        Workload::Subscribe(_) => (Stamping::Auto, Sequencing::Auto),
        Workload::Request(_) => (Stamping::None, Sequencing::None),
    };
    let file = PlanFile::new(plan);
    Ok(match arguments.profile {
        Some(protocol) => file.overlay(request(protocol, variables)?),
        None => file,
    })
}

fn flags(arguments: &Load, url: Option<&str>, planned: Http) -> anyhow::Result<PlanOverlay> {
    let headers = check::headers(&arguments.header)?.0.into_iter().map(|header| {
        let value = String::from_utf8_lossy(header.value.as_ref());
        (header.name, Template::plain(value))
    });
    let body = arguments.body.as_deref().map(|text| match text.strip_prefix('@') {
        Some(path) => Body::File(path.into()),
        None => Body::Text(Template::plain(text)),
    });
    let publishing = Publishing {
        rate: arguments.rate.unwrap_or(1.0),
        arrivals: arguments.arrivals,
        size: usize::try_from(arguments.size).unwrap_or(usize::MAX),
        after: Duration::ZERO,
    };
    Ok(PlanOverlay {
        url: arguments.url.as_deref().or(url).map(Template::plain),
        websocket: versus(arguments)?,
        headers: headers.collect(),
        method: None,
        body,
        publish: arguments.publish().cloned().map(|hook| (hook, publishing)),
        stamping: arguments.stamp.clone(),
        sequencing: arguments.sequence.clone(),
        http: Some(http(arguments, planned)?),
        compress: arguments.compress,
        patience: arguments.timeout,
        seed: arguments.seed,
        thresholds: arguments.outputs.fail_if.clone(),
    })
}

/// The WebSocket to compare with; the word stands for that of the embedded server.
fn versus(arguments: &Load) -> anyhow::Result<Option<Template>> {
    match arguments.versus.as_deref() {
        Some("websocket") if arguments.what.is_some() || arguments.url.is_some() => {
            bail!("`--versus websocket` is the one of the embedded server; pass the URL of yours")
        }
        Some("websocket") => Ok(Some(Template::plain(MESSAGES))),
        versus => Ok(versus.map(Template::plain)),
    }
}

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

fn request(protocol: Protocol, mut variables: Variables) -> anyhow::Result<PlanOverlay> {
    let Some(profile) = sseproof_rules::profile(protocol.id()) else {
        return Ok(PlanOverlay::default());
    };
    for (name, value) in profile.variables {
        variables.given.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
    }
    let body = variables.fill(profile.body).map_err(|what| {
        anyhow::anyhow!("cannot fill in the body of the profile {}: {what}", profile.id)
    })?;
    let headers = profile.headers.iter();
    Ok(PlanOverlay {
        method: Some(profile.method.to_owned()),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), Template::plain(*value)))
            .collect(),
        body: Some(Body::Text(Template::plain(body))),
        ..PlanOverlay::default()
    })
}

fn read(what: &str, variables: &Variables) -> Result<PlanFile, Blame> {
    if let Some(ready) = plans().iter().find(|plan| plan.id == what) {
        return PlanFile::parse(&format!("{}.yaml", ready.id), ready.source, variables).usage();
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
    PlanFile::parse(what, &source, variables).usage()
}

fn workload(arguments: &Load) -> anyhow::Result<Workload> {
    let arrivals = arguments.arrivals;
    let second = Duration::from_secs(1);
    if let Some(protocol) = arguments.profile {
        let rate = match (arguments.rate, arguments.connections) {
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
        return Ok(Workload::Request(Requests { rate, lasting, protocol, objectives }));
    }
    let to = arguments.connections.unwrap_or(500);
    let over = arguments.ramp.unwrap_or(4 * second);
    let lasting = arguments.hold.or(arguments.duration).unwrap_or(10 * second);
    let ramp = Stage::Ramp { to, over, plateaus: arguments.plateaus };
    let storm = arguments.storm.map(|share| Stage::Storm { share, lasting: 10 * second });
    let stages = [ramp, Stage::Hold { lasting }].into_iter().chain(storm).collect();
    Ok(Workload::Subscribe(Subscribe { stages, arrivals, ..Subscribe::default() }))
}

fn sides(file: &PlanFile) -> anyhow::Result<Vec<Side>> {
    let is_request = matches!(file.plan.workload, Workload::Request(_));
    let (url, versus) = match (file.url.clone(), file.websocket.clone()) {
        (None, None) if is_request => (Some(Template::plain("/chat")), None),
        (None, None) => (Some(Template::plain(EVENTS)), Some(Template::plain(MESSAGES))),
        (None, Some(versus)) if versus.fill(0).starts_with('/') => {
            (Some(Template::plain(EVENTS)), Some(versus))
        }
        given => given,
    };
    let side = |url: Template| {
        let first = url.fill(0);
        let is_message = ["ws:", "wss:", "/ws"].iter().any(|start| first.starts_with(start));
        let transport = if is_message { Transport::WebSocket } else { Transport::Sse };
        Side { transport, url }
    };
    let sides: Vec<_> = url.into_iter().chain(versus).map(side).collect();
    if is_request && sides.iter().any(|side| side.transport == Transport::WebSocket) {
        bail!(
            "requests need streams that end, which WebSockets do not have; pass the URL of an event stream"
        );
    }
    Ok(sides)
}
