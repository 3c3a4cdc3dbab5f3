//! The arguments of `sseproof check`, made ready: target, scenarios, choice of rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use globset::GlobMatcher;
use sseproof_files::{
    Overlay, Probe, PublishHook, Readiness, Scenario, StartHook, Target, Variables, needed, probes,
    profile_probes,
};
use sseproof_http::{Bytes, Headers, Request};
use sseproof_net::{ConnectionOptions, Limits, sendable};
use sseproof_rules::{Profile, profile, profiles_of, rules, rules_for};
use url::Url;

use crate::args::Check;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::known::{self, RULES, glob, matches_a_rule};
use crate::screen;

pub(super) struct CheckOptions {
    /// The target; without a URL, it is the embedded reference server.
    pub(super) target: Target,
    pub(super) profile: Option<&'static Profile>,
    pub(super) probes: Vec<Probe>,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) limits: Limits,
    pub(super) connection: ConnectionOptions,
    pub(super) wait_for: Option<Duration>,
    pub(super) deadline: Duration,
}

impl CheckOptions {
    pub(super) fn new(arguments: &Check, chosen: &Chosen) -> Result<Self, Blame> {
        let (files, urls): (Vec<_>, Vec<_>) = arguments
            .targets
            .iter()
            .partition(|given| given.ends_with(".yaml") || given.ends_with(".yml"));
        let mut variables = Variables::with_environment(variables(&arguments.var).usage()?);
        let mut file = target_file(arguments.target.as_deref(), &variables).usage()?;
        let profile = arguments.profile.as_deref().or(file.profile.as_deref()).and_then(profile);
        for (name, value) in std::mem::take(&mut file.vars) {
            variables.given.entry(name).or_insert(value);
        }
        for (name, value) in profile.map_or(&[][..], |profile| profile.variables) {
            variables.given.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
        }
        let flags = flags(arguments, &urls).usage()?;
        let own = own(profile, &flags, &variables).usage()?;
        let of_file = Overlay { headers: std::mem::take(&mut file.headers), ..Overlay::default() };
        let target = file.overlay(own).overlay(of_file).overlay(flags);
        check_urls(&target, arguments).usage()?;
        if files.is_empty() && arguments.no_probes {
            let error = anyhow!(
                "with --no-probes and no scenario there is nothing to do; add a scenario (a .yaml file)"
            );
            return Err(Blame { exit: Exit::Usage, error });
        }
        let url = Some(&*target.url).filter(|url| !url.is_empty());
        let connection = arguments.connection.options(url, &target.connection).usage()?;
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
        let wait_for = arguments.wait_for;
        let options = Self {
            target,
            profile,
            probes: wanted,
            scenarios,
            limits,
            connection,
            wait_for,
            deadline: arguments.deadline,
        };
        options.sendable().usage()?;
        options.warn();
        Ok(options)
    }

    pub(super) fn is_embedded(&self) -> bool {
        self.target.url.is_empty()
    }

    fn warn(&self) {
        let Ok(url) = Url::parse(&self.target.url) else { return };
        let mut request = Request::subscribe(url.as_str());
        request.headers.clone_from(&self.target.headers);
        if url.scheme() == "http" && request.has_credentials() && !is_loopback(&url) {
            screen::say(format_args!(
                "sseproof: credentials are sent to {} without encryption; use an https:// URL",
                url.host_str().unwrap_or_default()
            ));
        }
    }

    fn sendable(&self) -> anyhow::Result<()> {
        let url = if self.is_embedded() { "http://127.0.0.1/" } else { &self.target.url };
        let mut request = Request::subscribe(url);
        request.method.clone_from(&self.target.method);
        request.headers.0.extend(self.target.headers.0.iter().cloned());
        sendable(&request).context("cannot send the request")
    }
}

fn flags(arguments: &Check, urls: &[&String]) -> anyhow::Result<Overlay> {
    let url = match urls {
        [] => None,
        [url] => Some(checked(url)?),
        [_, second, ..] => bail!(
            "a check has one target, and `{second}` is the second URL; the names of scenarios end in .yaml"
        ),
    };
    let mut headers = headers(&arguments.header)?;
    if let Some(origin) = &arguments.origin {
        headers.set("Origin", origin.as_str());
    }
    Ok(Overlay {
        url,
        method: arguments.method.as_ref().map(|method| method.to_ascii_uppercase()),
        headers,
        body: arguments.body.as_deref().map(body).transpose()?,
        publish: publish(arguments),
        start: arguments.start.as_ref().map(|command| StartHook {
            command: command.clone(),
            ready: Readiness::default(),
            within: None,
        }),
        active: arguments.active.clone(),
        via: arguments.via.clone(),
        seed: Some(arguments.seed),
        ..Overlay::default()
    })
}

/// How to publish, as either flag says.
fn publish(arguments: &Check) -> Option<PublishHook> {
    let answer = arguments.publish_answer.clone().map(PublishHook::answering);
    arguments.publish.clone().or(answer)
}

fn check_urls(target: &Target, arguments: &Check) -> anyhow::Result<()> {
    if !target.url.is_empty() {
        checked(&target.url)?;
    } else if arguments.target.is_some() || publish(arguments).is_some() {
        bail!(
            "the target has no URL; add it to the command, or add `url: http://127.0.0.1:8080/events` to the file of --target"
        );
    } else if target.start.is_some() {
        bail!("--start needs the URL of the stream on that server");
    } else if arguments.via.is_some() {
        bail!(
            "--via compares a proxy with its server, and the URL of the stream on the server is missing; to check the stream through the proxy alone, pass its URL without --via"
        );
    } else if arguments.active.is_some() {
        bail!("--active needs the URL of the stream whose producers are counted");
    }
    target.via.as_deref().map_or(Ok(()), |via| checked(via).map(drop))
}

pub(super) struct Chosen {
    only: Vec<GlobMatcher>,
    skip: Vec<GlobMatcher>,
}

impl Chosen {
    /// A glob of `--skip` may match no rule: a list for several versions can have rules that this
    /// version lacks.
    pub(super) fn new(only: &[String], skip: &[String]) -> anyhow::Result<Self> {
        let only = known::only(only, &RULES)?;
        let skip = skip
            .iter()
            .map(|text| {
                let glob = glob(text).context("cannot use --skip")?;
                if !matches_a_rule(&glob) {
                    screen::say(format_args!("sseproof: --skip '{text}' matches no rule"));
                }
                Ok(glob)
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { only, skip })
    }

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

fn all_probes(
    profile: Option<&'static Profile>,
    variables: &Variables,
) -> anyhow::Result<Vec<Probe>> {
    let Some(profile) = profile else { return Ok(probes().to_vec()) };
    profile_probes(profile.id, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

fn own(
    profile: Option<&'static Profile>,
    flags: &Overlay,
    variables: &Variables,
) -> anyhow::Result<Overlay> {
    let Some(profile) = profile else { return Ok(Overlay::default()) };
    // Variables that only the body needs may be missing where a flag gives another one.
    let body = match &flags.body {
        Some(_) => None,
        None => Some(Bytes::from(variables.fill(profile.body).map_err(|what| {
            anyhow!("cannot fill in the body of the profile {}: {what}", profile.id)
        })?)),
    };
    Ok(Overlay {
        method: Some(profile.method.to_owned()),
        headers: profile.headers.iter().copied().collect(),
        profile: Some(profile.id.to_owned()),
        body,
        ..Overlay::default()
    })
}

fn target_file(file: Option<&Path>, variables: &Variables) -> anyhow::Result<Target> {
    let Some(file) = file else { return Ok(Target::default()) };
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read --target {name}"))?;
    Target::parse(&name, &text, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

fn scenario(file: &str, variables: &Variables) -> anyhow::Result<Scenario> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    Scenario::parse(file, &text, variables).map_err(|mistakes| anyhow!("{mistakes}"))
}

pub(crate) fn headers(given: &[String]) -> anyhow::Result<Headers> {
    given
        .iter()
        .enumerate()
        .map(|(index, line)| {
            // It may be a secret, so it is not shown.
            let (name, value) = line.split_once(':').with_context(|| {
                format!(
                    "cannot read --header: number {} has no colon; write it as 'Authorization: Bearer abc'",
                    index + 1
                )
            })?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

fn body(text: &str) -> anyhow::Result<Bytes> {
    Ok(match text.strip_prefix('@') {
        Some(file) => {
            Bytes::from(fs::read(file).with_context(|| format!("cannot read --body @{file}"))?)
        }
        None => Bytes::from(text),
    })
}

pub(crate) fn variables(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    given
        .iter()
        .enumerate()
        .map(|(index, pair)| {
            let (name, value) = pair.split_once('=').with_context(|| {
                format!(
                    "cannot read --var: number {} has no `=`; write it as --var name=value",
                    index + 1
                )
            })?;
            Ok((name.to_owned(), value.to_owned()))
        })
        .collect()
}
