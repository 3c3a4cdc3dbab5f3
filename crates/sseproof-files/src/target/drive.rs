//! The other parts of a target file: how to start and restart the server, and which numbers to read from it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use sseproof_http::Request;

use super::Target;
pub use super::document::Signal;
use crate::model::{Headers, Http, Method, Part, Pattern, Scope, Text};
use crate::{excerpt, request};

/// The command that starts a server, and how to see that it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartHook {
    /// The command, to be split as a shell does.
    pub command: String,
    pub ready: Readiness,
    /// How long that may take, where the file says it.
    pub within: Option<Duration>,
}

/// The sign that a started server is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Readiness {
    /// The port of the target's URL accepts connections.
    #[default]
    Listening,
    /// This port of this machine does.
    Port(u16),
    /// This path or URL answers with a status from 200 to 399.
    Http(String),
    /// It prints a line that this regular expression matches.
    Output(String),
}

/// How a server is stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopHook {
    Run(String),
    Signal(Signal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestartHook {
    Http(Box<RequestHook>),
    Run(String),
    /// By stopping and starting it, if the run has started it.
    Again,
}

/// A request that the target file spells out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHook {
    http: Http,
    scope: Scope,
}

impl RequestHook {
    /// A request without a body; `place` is a path on the target's server, or a URL.
    pub fn new(method: &str, place: &str) -> Self {
        Self { http: request_to(method, place), scope: Scope::default() }
    }

    pub(super) fn of(http: Http, scope: Scope) -> Self {
        Self { http, scope }
    }

    /// The request.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn request(&self, target: &Target) -> Result<Request, String> {
        request::http(&self.http, target, &self.scope)
    }
}

/// A step that sends a request without a body; `place` is a path on the target's server, or a URL.
pub(super) fn request_to(method: &str, place: &str) -> Http {
    let plain = || Text(vec![Part::Plain(place.to_owned())]);
    let to = Some(Text::parse(place).unwrap_or_else(|_| plain()));
    let (url, path) = if place.contains("://") { (to, None) } else { (None, to) };
    Http {
        path,
        url,
        method: Some(Method(method.to_owned())),
        headers: Headers::default(),
        body: None,
        json: None,
        status: None,
        within: None,
        name: None,
    }
}

/// Where a number is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GaugeHook {
    pub request: RequestHook,
    pub part: GaugePart,
}

/// Where in an answer a number stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GaugePart {
    /// It is the answer, or the only number in it.
    #[default]
    All,
    Pointer(String),
    /// The first group of this regular expression, or all that it matches.
    Regex(String),
}

impl GaugeHook {
    /// A number that is the answer to this request, or the only number in it.
    pub fn http(method: &str, place: &str) -> Self {
        Self { request: RequestHook::new(method, place), part: GaugePart::All }
    }

    /// The number in an answer.
    ///
    /// # Errors
    /// Why there is none, with what to write instead.
    pub fn number(&self, body: &str) -> Result<u64, String> {
        let shown = excerpt(body);
        let json = || serde_json::from_str::<serde_json::Value>(body);
        let found = match &self.part {
            GaugePart::Pointer(pointer) => {
                let json = json().map_err(|_| format!("the answer is not JSON: {shown}"))?;
                let value = json
                    .pointer(pointer)
                    .ok_or_else(|| format!("nothing stands at {pointer} of {shown}"))?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                whole(&text).ok_or_else(|| format!("{text} at {pointer} is not a number"))?
            }
            GaugePart::Regex(regex) => {
                let found = Regex::new(regex)
                    .ok()
                    .and_then(|regex| {
                        let groups = regex.captures(body)?;
                        Some(groups.get(1).or(groups.get(0))?.as_str().to_owned())
                    })
                    .ok_or_else(|| format!("/{regex}/ matches nothing in {shown}"))?;
                whole(&found)
                    .ok_or_else(|| format!("{found:?}, which /{regex}/ matches, is not a number"))?
            }
            GaugePart::All => {
                let only = || {
                    let mut numbers = Vec::new();
                    collect(&json().ok()?, &mut numbers);
                    if let [number] = numbers.as_slice() { Some(*number) } else { None }
                };
                whole(body).or_else(only).ok_or_else(|| {
                    format!("the answer is not one number: {shown}; say where it stands with `pointer: /active` or `regex: …` in the target file")
                })?
            }
        };
        Ok(found)
    }
}

fn collect(json: &serde_json::Value, numbers: &mut Vec<u64>) {
    match json {
        serde_json::Value::Number(number) => numbers.extend(whole(&number.to_string())),
        serde_json::Value::Array(values) => values.iter().for_each(|value| collect(value, numbers)),
        serde_json::Value::Object(members) => {
            members.values().for_each(|value| collect(value, numbers));
        }
        _ => {}
    }
}

/// A number that counts something: gauges in the format of Prometheus write `3.0`, or `1e+06`.
fn whole(text: &str) -> Option<u64> {
    let number: f64 = text.trim().parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is looked at that the number fits"
    )]
    (0.0..2e15).contains(&number).then(|| number.round() as u64)
}

/// A server that the run has started, and can stop and start again.
pub trait Server: Send + Sync {
    /// Stops it and starts it again, and waits until it is ready.
    fn restart(&self) -> ServerFuture<'_, ()>;

    /// Asks it to end, as a deployment does, and waits for that time; kills it if it still runs.
    fn terminate(&self, within: Duration) -> ServerFuture<'_, Termination>;
}

/// An action on the server, or why it is not possible.
pub type ServerFuture<'s, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 's>>;

/// How a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Termination {
    /// The request to end: `SIGTERM`, or the command of the target file.
    pub by: String,
    /// How long it took; `None` if it still ran when the time was over.
    pub took: Option<Duration>,
}

/// A handle on a [`Server`].
#[derive(Clone)]
pub struct ServerHandle(pub Arc<dyn Server>);

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerHandle")
    }
}

impl PartialEq for ServerHandle {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ServerHandle {}

/// The expression with its variables filled in; they were looked at before.
pub(super) fn filled(pattern: &Pattern, scope: &Scope) -> String {
    pattern.0.fill_with(scope, regex::escape).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_or_it_is_said_why_not() {
        let gauge = |part| GaugeHook { part, ..GaugeHook::http("GET", "/active") };
        let all = gauge(GaugePart::All);
        assert_eq!(all.number("3\n"), Ok(3));
        assert_eq!(all.number("{\"streams\":{\"open\":3}}"), Ok(3));
        for none in ["", "none", "{\"a\":1,\"b\":2}", "-1"] {
            assert!(all.number(none).unwrap_err().contains("pointer:"), "{none}");
        }
        let pointer = gauge(GaugePart::Pointer("/b".to_owned()));
        assert_eq!(pointer.number("{\"a\":1,\"b\":\"2\"}"), Ok(2));
        assert_eq!(pointer.number("{\"b\":null}").unwrap_err(), "null at /b is not a number");
        assert!(pointer.number("<html>").unwrap_err().contains("not JSON"));
        let regex = gauge(GaugePart::Regex("open ([0-9.e+]+)".to_owned()));
        assert_eq!(regex.number("# HELP\nopen 1.2e+01\n"), Ok(12));
        assert!(regex.number("shut 1").unwrap_err().contains("matches nothing"));
    }

    #[test]
    fn a_gauge_asks_the_target() {
        let target = Target::new("http://h:1/events?a");
        let hook = GaugeHook::http("GET", "/active");
        let request = hook.request.request(&target).unwrap();
        assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", "http://h:1/active"));
        assert_eq!(
            request.headers,
            [("Accept", "*/*")].into_iter().collect::<sseproof_http::Headers>()
        );
    }
}
