//! The arguments of `sseproof check`, made ready: target, scenarios, choice of rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use globset::GlobMatcher;
use sseproof_files::{
    FileKind, Overlay, Probe, Readiness, Scenario, StartHook, Target, Variables, needed, probes,
    profile_probes,
};
use sseproof_http::{Bytes, Headers, Request};
use sseproof_net::{ConnectionOptions, Limits, sendable};
use sseproof_rules::{Profile, profile, profiles_of, rules, rules_for};
use url::Url;

use super::server::{check_urls, checked, is_loopback, profile_at, publish, target_path};
use crate::args::Check;
use crate::exit::{Blame, Blamed as _, Exit};
use crate::files::is_yaml;
use crate::known::{self, RULES};
use crate::{lint, screen};

/// The most time that a check with `--quick` takes.
const QUICK: Duration = Duration::from_secs(5);

pub(super) struct CheckOptions {
    /// The target; without a URL, it is the embedded reference server.
    pub(super) target: Target,
    /// The files that were read: the target and the scenarios.
    pub(super) files: Vec<PathBuf>,
    /// The target file.
    pub(super) file: Option<PathBuf>,
    pub(super) profile: Option<&'static Profile>,
    pub(super) probes: Vec<Probe>,
    /// The probes that `--quick` leaves out.
    pub(super) left_out: Vec<Probe>,
    pub(super) scenarios: Vec<Scenario>,
    pub(super) limits: Limits,
    pub(super) connection: ConnectionOptions,
    pub(super) wait_for: Option<Duration>,
    pub(super) deadline: Duration,
    pub(super) quick: bool,
}

impl CheckOptions {
    pub(super) fn new(arguments: &Check, chosen: &Chosen) -> Result<Self, Blame> {
        let (files, urls) = scenarios_and_urls(&arguments.targets).usage()?;
        let mut variables = Variables::with_environment(variables(&arguments.var).usage()?);
        let named = target_path(arguments, urls.is_empty());
        let mut file = target_file(named.as_deref(), &variables).usage()?;
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
        let mut target = file.overlay(own).overlay(of_file).overlay(flags);
        target.one_by_one = arguments.one_by_one;
        check_urls(&target, arguments, named.is_some()).usage()?;
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
        let is_played = |probe: &Probe| !arguments.quick || probe.scenario.is_quick();
        let (probes, left_out) = wanted.into_iter().partition(is_played);
        let most = if arguments.quick { QUICK } else { Duration::MAX };
        let scenarios = files
            .iter()
            .map(|file| scenario(file, &variables))
            .collect::<anyhow::Result<_>>()
            .usage()?;
        let limits =
            Limits { connect: arguments.timeout, head: arguments.timeout, ..Limits::default() };
        let wait_for = arguments.wait_for;
        let options = Self {
            target,
            files: files.into_iter().chain(named.clone()).collect(),
            file: named,
            profile,
            probes,
            left_out,
            scenarios,
            limits,
            connection,
            wait_for,
            deadline: arguments.deadline.min(most),
            quick: arguments.quick,
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
        if self.profile.is_none()
            && let Some(profile) = profile_at(url.path())
        {
            screen::say(format_args!(
                "sseproof: {} is a path of {profile}: add --profile {profile} to check its requests and rules",
                url.path()
            ));
        }
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

pub(super) struct Chosen {
    only: Vec<GlobMatcher>,
    skip: Vec<GlobMatcher>,
}

impl Chosen {
    pub(super) fn new(only: &[String], skip: &[String]) -> anyhow::Result<Self> {
        let only = known::only(only, &RULES)?;
        let skip = known::skip(skip, &RULES)?;
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

/// The files, also those of folders, and all other arguments.
fn scenarios_and_urls(given: &[String]) -> anyhow::Result<(Vec<PathBuf>, Vec<&String>)> {
    let (mut files, mut urls) = (Vec::new(), Vec::new());
    for argument in given {
        let path = Path::new(argument);
        match () {
            () if path.is_dir() => files.extend(lint::scenarios(path)?),
            () if is_yaml(path) => {
                may_be_scenario(argument)?;
                files.push(path.to_owned());
            }
            () => urls.push(argument),
        }
    }
    Ok((files, urls))
}

/// Fails if the file is of another kind; that it can be read is seen later.
fn may_be_scenario(file: &str) -> anyhow::Result<()> {
    match fs::read_to_string(file).ok().and_then(|text| FileKind::of(&text)) {
        Some(FileKind::Target) => {
            bail!("{file} is a target, not a scenario: write --target {file}")
        }
        Some(FileKind::Plan) => bail!("{file} is a plan: write `sseproof load {file}`"),
        Some(FileKind::Known) => bail!("{file} is a list of known failures: write --known {file}"),
        Some(FileKind::Scenario) | None => Ok(()),
    }
}

fn scenario(file: &Path, variables: &Variables) -> anyhow::Result<Scenario> {
    let file = &file.display().to_string();
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
