//! The arguments of `sseproof check`, made ready: target, scenarios, choice of rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use globset::GlobMatcher;
use sseproof_files::{
    GaugeHook, Probe, PublishHook, Readiness, RestartHook, Restarting, Scenario, StartHook,
    StopHook, TargetConfig, TargetFile, Variables, needed, probes, profile_probes,
};
use sseproof_net::{ConnectionOptions, Limits, sendable};
use sseproof_record::{Bytes, Headers, Request};
use sseproof_rules::{Profile, profile, profiles_of, rules, rules_for};
use url::Url;

use crate::args::Check;
use crate::connection::FileKeys;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::known::{glob, matcher, matches_a_rule};

/// A check that is ready to run.
pub(super) struct Given {
    /// The target; `None` is the embedded reference server.
    pub(super) url: Option<String>,
    pub(super) method: String,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) other: Option<Headers>,
    pub(super) publish: Option<PublishHook>,
    pub(super) profile: Option<&'static Profile>,
    pub(super) probes: Vec<Probe>,
    pub(super) start: Option<StartHook>,
    pub(super) stop: Option<StopHook>,
    pub(super) restart: Restarting,
    pub(super) active: Option<GaugeHook>,
    pub(super) memory: Option<GaugeHook>,
    pub(super) process: Option<u32>,
    pub(super) via: Option<String>,
    pub(super) seed: u64,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) limits: Limits,
    pub(super) connection: ConnectionOptions,
    /// How long to wait for the port, if requested.
    pub(super) wait_for: Option<Duration>,
}

impl Given {
    pub(super) fn new(arguments: &Check, chosen: &Chosen) -> Result<Self, Blame> {
        let (files, urls): (Vec<_>, Vec<_>) = arguments
            .targets
            .iter()
            .partition(|given| given.ends_with(".yaml") || given.ends_with(".yml"));
        let mut variables = Variables::with_environment(variables(&arguments.var).usage()?);
        let file = target_file(arguments.target.as_deref(), &variables).usage()?;
        let url = match urls.as_slice() {
            [] => file.url.as_deref().map(checked).transpose().usage()?,
            [url] => Some(checked(url).usage()?),
            [_, second, ..] => {
                let error = anyhow!(
                    "a check has one target, and `{second}` is the second URL; the names of scenarios end in .yaml"
                );
                return Err(Blame { exit: Exit::Usage, error });
            }
        };
        if url.is_none() && (arguments.target.is_some() || arguments.publish.is_some()) {
            let error = anyhow!(
                "the target has no URL; add it to the command, or add `url: http://127.0.0.1:8080/events` to the file of --target"
            );
            return Err(Blame { exit: Exit::Usage, error });
        }
        let said = arguments.target.as_deref().map(|path| FileKeys::of_target(path, &file));
        let connection = arguments.connection.options(url.as_deref(), said).usage()?;
        let start = arguments.start.as_ref().map(|command| StartHook {
            command: command.clone(),
            ready: Readiness::default(),
            within: None,
        });
        let start = start.or(file.start);
        if url.is_none() && start.is_some() {
            let error = anyhow!("--start needs the URL of the stream on that server");
            return Err(Blame { exit: Exit::Usage, error });
        }
        if url.is_none() && arguments.via.is_some() {
            let error = anyhow!(
                "--via compares a proxy with its server, and the URL of the stream on the server is missing; to check the stream through the proxy alone, pass its URL without --via"
            );
            return Err(Blame { exit: Exit::Usage, error });
        }
        if url.is_none() && arguments.active.is_some() {
            let error = anyhow!("--active needs the URL of the stream whose producers are counted");
            return Err(Blame { exit: Exit::Usage, error });
        }
        if files.is_empty() && arguments.no_probes {
            let error = anyhow!(
                "with --no-probes and no scenario there is nothing to do; add a scenario (a .yaml file)"
            );
            return Err(Blame { exit: Exit::Usage, error });
        }
        let profile = arguments.profile.as_deref().or(file.profile.as_deref()).and_then(profile);
        for (name, value) in file.vars {
            variables.given.entry(name).or_insert(value);
        }
        for (name, value) in profile.map_or(&[][..], |profile| profile.variables) {
            variables.given.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
        }
        let judging: Vec<_> = rules_for(profile).map(|rule| rule.id).collect();
        let judging: Vec<_> = judging.into_iter().filter(|rule| chosen.has(rule)).collect();
        let mut wanted = needed(all_probes(profile, &variables).usage()?, &judging);
        wanted.retain(|probe| !arguments.no_probes && (arguments.idle || !probe.scenario.idle));
        let scenarios = files
            .into_iter()
            .map(|file| scenario(file, &variables))
            .collect::<anyhow::Result<_>>()
            .usage()?;
        let limits =
            Limits { connect: arguments.timeout, head: arguments.timeout, ..Limits::default() };
        let own = over(own_headers(profile), file.headers);
        let mut fields = over(own, headers(&arguments.header).usage()?);
        if let Some(origin) = &arguments.origin {
            fields.set("Origin", origin.as_str());
        }
        let given = Self {
            url,
            method: match (&arguments.method, profile) {
                (Some(method), _) => method.to_ascii_uppercase(),
                (None, Some(profile)) => profile.method.to_owned(),
                (None, None) => "GET".to_owned(),
            },
            headers: fields,
            body: match (&arguments.body, profile) {
                (None, Some(profile)) => own_body(profile, &variables).usage()?,
                (given, _) => body(given.as_deref()).usage()?,
            },
            other: file.other,
            publish: arguments.publish.clone().or(file.publish),
            profile,
            probes: wanted,
            start,
            stop: file.stop,
            restart: file.restart,
            active: arguments.active.clone().or(file.active),
            memory: file.memory,
            process: file.process,
            via: arguments.via.clone().or(file.via).as_deref().map(checked).transpose().usage()?,
            seed: arguments.seed,
            scenarios,
            limits,
            connection,
            wait_for: arguments.wait_for,
        };
        given.sendable().usage()?;
        given.warn();
        Ok(given)
    }

    /// Warns of credentials that are sent without encryption.
    fn warn(&self) {
        let Some(url) = self.url.as_deref().and_then(|url| Url::parse(url).ok()) else { return };
        let mut request = Request::subscribe(url.as_str());
        request.headers.clone_from(&self.headers);
        if url.scheme() == "http" && request.has_credentials() && !is_loopback(&url) {
            eprintln!(
                "sseproof: credentials are sent to {} without encryption; use an https:// URL",
                url.host_str().unwrap_or_default()
            );
        }
    }

    /// The requests other than for the stream.
    pub(super) fn requests_besides(&self) -> Vec<Request> {
        self.target(self.url.clone().unwrap_or_default()).requests_besides()
    }

    /// Fails if the request for the stream cannot be sent.
    fn sendable(&self) -> anyhow::Result<()> {
        let url = self.url.clone().unwrap_or_else(|| "http://127.0.0.1/".to_owned());
        let mut request = Request::subscribe(url);
        request.method.clone_from(&self.method);
        request.headers.0.extend(self.headers.0.iter().cloned());
        sendable(&request).context("cannot send the request")
    }

    /// The target, once its URL is known.
    pub(super) fn target(&self, url: String) -> TargetConfig {
        TargetConfig {
            method: self.method.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            other: self.other.clone(),
            publish: self.publish.clone(),
            profile: self.profile.map(|profile| profile.id.to_owned()),
            active: self.active.clone(),
            memory: self.memory.clone(),
            process: self.process,
            via: self.via.clone(),
            restart: match &self.restart {
                Restarting::By(hook) => Some(RestartHook::clone(hook)),
                _ => None,
            },
            seed: self.seed,
            ..TargetConfig::new(url)
        }
    }
}

/// The rules to check.
pub(super) struct Chosen {
    only: Vec<GlobMatcher>,
    skip: Vec<GlobMatcher>,
}

impl Chosen {
    /// A glob of `--skip` may match no rule: a list for several versions can have rules that this
    /// version lacks. A glob of `--only` must match, or nothing would be checked.
    pub(super) fn new(only: &[String], skip: &[String]) -> anyhow::Result<Self> {
        let only = only
            .iter()
            .map(|text| matcher(text).context("cannot use --only"))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let skip = skip
            .iter()
            .map(|text| {
                let glob = glob(text).context("cannot use --skip")?;
                if !matches_a_rule(&glob) {
                    eprintln!("sseproof: --skip '{text}' matches no rule");
                }
                Ok(glob)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { only, skip })
    }

    /// Fails if `--only` and `--skip` leave no rule of this profile.
    pub(super) fn judges(&self, profile: Option<&'static Profile>) -> anyhow::Result<()> {
        if self.only.is_empty() || rules_for(profile).any(|rule| self.has(rule.id)) {
            return Ok(());
        }
        let wanted = rules().filter(|rule| self.has(rule.id));
        let instead = match (wanted.flat_map(profiles_of).next(), profile) {
            (Some(other), _) => format!("these rules need --profile {}", other.id),
            (None, Some(profile)) => {
                format!("these rules do not apply to the profile {}", profile.id)
            }
            (None, None) => "--skip excludes all of them".to_owned(),
        };
        bail!("--only leaves no rule to check: {instead}");
    }

    pub(super) fn has(&self, rule: &str) -> bool {
        let matches = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(rule));
        (self.only.is_empty() || matches(&self.only)) && !matches(&self.skip)
    }
}

/// Whether the URL is on this machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

pub(crate) fn checked(url: &str) -> anyhow::Result<String> {
    if Path::new(url).is_file() {
        bail!("`{url}` is a file, but not a scenario: the name of a scenario ends in .yaml");
    }
    if !url.contains("://") {
        bail!(
            "`{url}` is not a URL; did you mean http://{url}? (The names of scenarios end in .yaml)"
        );
    }
    let parsed = Url::parse(url).with_context(|| format!("cannot read the URL `{url}`"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        bail!(
            "`{}` URLs cannot be checked; use a URL that starts with http:// or https://",
            parsed.scheme()
        );
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        bail!(
            "credentials in a URL are not sent; remove them, and use -H 'Authorization: Basic …'"
        );
    }
    Ok(url.to_owned())
}

/// The general probes that apply to the profile, and then its own.
fn all_probes(
    profile: Option<&'static Profile>,
    variables: &Variables,
) -> anyhow::Result<Vec<Probe>> {
    let Some(profile) = profile else { return Ok(probes().to_vec()) };
    profile_probes(profile.id, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

/// The default header fields of the profile.
fn own_headers(profile: Option<&Profile>) -> Headers {
    profile.map_or(&[][..], |profile| profile.headers).iter().copied().collect()
}

/// The body of the profile, its variables filled in.
fn own_body(profile: &Profile, variables: &Variables) -> anyhow::Result<Bytes> {
    match variables.fill(profile.body) {
        Ok(body) => Ok(Bytes::from(body)),
        Err(what) => bail!("cannot fill in the body of the profile {}: {what}", profile.id),
    }
}

fn target_file(file: Option<&Path>, variables: &Variables) -> anyhow::Result<TargetFile> {
    let Some(file) = file else { return Ok(TargetFile::default()) };
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read --target {name}"))?;
    TargetFile::parse(&name, &text, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

/// The fields of the file; a field of the command line replaces those of the same name.
fn over(mut file: Headers, given: Headers) -> Headers {
    file.0.retain(|header| !given.has(&header.name));
    file.0.extend(given.0);
    file
}

fn scenario(file: &str, variables: &Variables) -> anyhow::Result<Scenario> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    Scenario::parse(file, &text, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

pub(crate) fn headers(given: &[String]) -> anyhow::Result<Headers> {
    given
        .iter()
        .map(|line| {
            let (name, value) = line.split_once(':').with_context(|| {
                format!("cannot read --header {line:?}; write it as 'Authorization: Bearer abc'")
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

fn body(given: Option<&str>) -> anyhow::Result<Bytes> {
    match given.map(|text| (text, text.strip_prefix('@'))) {
        None => Ok(Bytes::default()),
        Some((_, Some(file))) => {
            Ok(Bytes::from(fs::read(file).with_context(|| format!("cannot read --body @{file}"))?))
        }
        Some((text, None)) => Ok(Bytes::from(text)),
    }
}

pub(crate) fn variables(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    given
        .iter()
        .map(|pair| {
            let (name, value) = pair.split_once('=').with_context(|| {
                format!("cannot read --var {pair:?}; write it as --var name=value")
            })?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}
