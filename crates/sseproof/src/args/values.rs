//! The values of flags, read from their texts.

use clap::builder::PossibleValuesParser;
use sseproof_files::{GaugeHook, PublishHook};

pub(super) fn hostile_names() -> PossibleValuesParser {
    PossibleValuesParser::new(
        sseproof_rules::hostile()
            .map(|server| clap::builder::PossibleValue::new(server.id).help(server.wrong)),
    )
}

pub(super) fn profile_names() -> PossibleValuesParser {
    PossibleValuesParser::new(sseproof_rules::profiles().map(|profile| {
        clap::builder::PossibleValue::new(profile.id).aliases(profile.aliases.iter().copied())
    }))
}

/// A URL, or a name in its place. A shell passes an empty argument for `"$URL"` if the variable is
/// not set, and that must not mean "no URL".
pub(crate) fn given(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it is empty; is a variable of the shell not set?"),
        _ => Ok(text.to_owned()),
    }
}

/// A request that publishes: `POST /publish`.
pub(crate) fn hook(text: &str) -> Result<PublishHook, String> {
    const WRITTEN: &str = "write it as 'POST /publish'";
    let (method, place) = request(text, "POST").ok_or(WRITTEN)?;
    Ok(PublishHook::http(method, place))
}

/// A request that reads a number: `GET /active`.
pub(super) fn gauge(text: &str) -> Result<GaugeHook, String> {
    const WRITTEN: &str = "write it as 'GET /active'";
    let (method, place) = request(text, "GET").ok_or(WRITTEN)?;
    Ok(GaugeHook::http(method, place))
}

/// A method and a place; the method may be left out.
fn request<'t>(text: &'t str, usual: &'t str) -> Option<(&'t str, &'t str)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (method, place) = match words.as_slice() {
        [place] => (usual, *place),
        [method, place] => (*method, *place),
        _ => return None,
    };
    let is_place = place.starts_with('/') || place.contains("://");
    let is_method = method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_place && is_method).then_some((method, place))
}

/// An origin: `https://app.example`, without a path.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let written = "write it as https://app.example, with a scheme and without a path";
    let url = url::Url::parse(text).map_err(|_| written.to_owned())?;
    let origin = url.origin().ascii_serialization();
    if origin == text { Ok(origin) } else { Err(written.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_a_method_and_a_place() {
        assert_eq!(hook("/publish"), Ok(PublishHook::http("POST", "/publish")));
        assert_eq!(hook("PUT http://h/x"), Ok(PublishHook::http("PUT", "http://h/x")));
        for wrong in ["", "publish", "post /x", "POST /x y"] {
            assert!(hook(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        assert_eq!(origin("https://app.example"), Ok("https://app.example".to_owned()));
        for wrong in ["app.example", "https://app.example/", "https://app.example/x", "null", ""] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
