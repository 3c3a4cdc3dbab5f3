//! Which server a check is about: never in doubt, so that no report is about another one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sseproof_files::{PublishHook, Target};
use url::Url;

use crate::args::Check;
use crate::screen;

/// The target file that is read if no URL is given.
pub(crate) const USUAL_TARGET: &str = "sseproof.yaml";

/// The target file: that of `--target`, or the usual one if nothing else names the server.
pub(super) fn target_path(arguments: &Check, lacks_url: bool) -> Option<PathBuf> {
    let usual = || {
        let file = PathBuf::from(USUAL_TARGET);
        let is_read = lacks_url && !arguments.reference && file.is_file();
        is_read.then(|| {
            screen::say(format_args!("sseproof: the target is ./{USUAL_TARGET}"));
            file
        })
    };
    arguments.target.clone().or_else(usual)
}

pub(super) fn check_urls(target: &Target, arguments: &Check, has_file: bool) -> anyhow::Result<()> {
    if !target.url.is_empty() {
        checked(&target.url)?;
        if arguments.reference {
            bail!("--reference checks the embedded reference server; remove it, or remove the URL");
        }
    } else if has_file || publish(arguments).is_some() {
        bail!(
            "the target has no URL; add it to the command, or add `url: http://127.0.0.1:8080/events` to the target file"
        );
    } else if target.start.is_some() {
        bail!("--start needs the URL of the stream on that server");
    } else if arguments.via.is_some() {
        bail!(
            "--via compares a proxy with its server, and the URL of the stream on the server is missing; to check the stream through the proxy alone, pass its URL without --via"
        );
    } else if arguments.active.is_some() {
        bail!("--active needs the URL of the stream whose producers are counted");
    } else if !arguments.reference && is_ci(std::env::var_os("CI").as_deref()) {
        bail!(
            "no server is named, and in CI (the variable CI is set) the embedded reference server is not checked in its place: pass the URL of your stream (a shell drops `$URL` without quotes if the variable is not set), add ./{USUAL_TARGET}, or write --reference"
        );
    }
    target.via.as_deref().map_or(Ok(()), |via| checked(via).map(drop))
}

/// Whether the variable `CI` of the environment says that this is a CI job.
fn is_ci(variable: Option<&OsStr>) -> bool {
    variable.is_some_and(|value| !["", "false", "0"].map(OsStr::new).contains(&value))
}

/// The ends of paths at which servers of a protocol usually have it.
const USUAL_PATHS: [(&str, &str); 7] = [
    ("/chat/completions", "openai-chat"),
    ("/v1/responses", "openai-responses"),
    ("/v1/messages", "anthropic-messages"),
    ("/mcp", "mcp"),
    ("/graphql/stream", "graphql-sse"),
    ("/graphql", "graphql-sse"),
    ("/.well-known/mercure", "mercure"),
];

pub(super) fn profile_at(path: &str) -> Option<&'static str> {
    let path = path.trim_end_matches('/');
    USUAL_PATHS.iter().find(|(end, _)| path.ends_with(end)).map(|(_, profile)| *profile)
}

/// How to publish, as either flag says.
pub(super) fn publish(arguments: &Check) -> Option<PublishHook> {
    let answer = arguments.publish_answer.clone().map(PublishHook::answering);
    arguments.publish.clone().or(answer)
}

pub(super) fn is_loopback(url: &Url) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ci_job_is_seen_by_its_variable() {
        for (value, is) in
            [(None, false), (Some(""), false), (Some("false"), false), (Some("0"), false)]
                .into_iter()
                .chain([(Some("true"), true), (Some("1"), true), (Some("woodpecker"), true)])
        {
            assert_eq!(is_ci(value.map(OsStr::new)), is, "{value:?}");
        }
    }

    #[test]
    fn each_profile_is_seen_by_the_path_of_its_reference() {
        for profile in sseproof_rules::profiles() {
            let path = profile.path.split('?').next().unwrap_or_default();
            let seen = profile_at(&format!("/api{path}/")).and_then(sseproof_rules::profile);
            assert_eq!(seen.map(|seen| seen.path), Some(profile.path), "{}", profile.id);
        }
        assert_eq!(profile_at("/events"), None);
    }
}
