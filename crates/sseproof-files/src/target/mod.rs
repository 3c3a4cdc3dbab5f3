//! The target file: how to drive the thing under test.

mod check;
mod config;
mod document;
mod drive;
mod hook;

use std::path::PathBuf;

use sseproof_http::Headers;

use self::document::{Document, Gauge, Publish, Ready, Restart, Start, Stop};
use self::hook::How;
use crate::mistake::{Mistake, Mistakes, Slip, Source};
use crate::model::{At, Form, Part, Pause, Scope, Text};
use crate::variables::Variables;

pub(crate) use check::Check;
pub use config::{ConnectionKeys, Overlay, SecretKeys, Target, ToHead};
pub(crate) use document::{Document as TargetDocument, Request as TargetRequest};
pub use drive::{
    GaugeHook, Readiness, RequestHook, RestartHook, Server, ServerFuture, ServerHandle, Signal,
    StartHook, StopHook, Termination,
};
pub use hook::{HookCall, PublishHook};

/// A file that a target file names, and where it does so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its path; a relative one of the file begins at the folder of that file.
    pub path: PathBuf,
    /// The line that names it, with nothing wrong so far.
    line: Mistake,
}

impl NamedFile {
    pub(crate) fn of(path: &At<Text>, source: &Source<'_>, scope: &Scope) -> Self {
        Self {
            path: source.folder().join(path.fill(scope).unwrap_or_default()),
            line: Slip::new("").at(source, path.place),
        }
    }

    /// A mistake in the file, at the place that names it.
    pub fn mistake(&self, what: impl Into<String>, instead: Option<String>) -> Mistake {
        Mistake { what: what.into(), instead, ..self.line.clone() }
    }
}

impl Target {
    /// Reads a target file. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let source = Source { file, text: source };
        let document: Document = crate::yaml::read(&source)?;
        let mut check = Check::new(&source, variables);
        let vars = check.vars(&document.vars);
        check.variables.given.extend(vars.clone());
        check.document(&document);
        if !check.mistakes.is_empty() {
            check.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
            return Err(Mistakes(check.mistakes));
        }
        let Variables { given: values, environment } = check.variables;
        let scope = Scope { values, environment };
        // Every variable has a value: that was looked at above.
        let fill = |text: &Text| text.fill(&scope).unwrap_or_default();
        let fields = |headers: &crate::model::Headers| -> Headers {
            let lines = headers.0.iter();
            lines.filter_map(|(name, value)| Some((name.clone(), fill(value.as_ref()?)))).collect()
        };
        let urls = [&document.url, &document.via].into_iter().flatten();
        let literal: Vec<String> = urls.flat_map(|url| literal_parameters(url)).collect();
        let process = {
            let mut gauges = [&document.active, &document.memory].into_iter().flatten();
            gauges.find_map(|gauge| gauge.process.as_ref()?.pid)
        };
        Ok(Self {
            vars,
            url: document.url.as_ref().map(|url| fill(url)).unwrap_or_default(),
            headers: document.headers.as_ref().map(|headers| fields(headers)).unwrap_or_default(),
            other: document.other.as_ref().map(|other| fields(&other.headers)),
            profile: document.profile.map(|profile| profile.value),
            publish: document.publish.and_then(|publish| {
                let Publish { stream, answer, http, run } = publish.value;
                let how = match (http, run) {
                    (Some(http), _) => How::Http(Box::new(http.value.into_step("POST"))),
                    (None, Some(run)) => How::Run(run.value),
                    (None, None) => return None,
                };
                let hook = PublishHook::new(how, scope.clone());
                Some(match stream {
                    _ if answer.is_some_and(|answer| answer.value) => hook.answering(),
                    Some(stream) => hook.on_stream(fill(&stream)),
                    None => hook,
                })
            }),
            start: document.start.map(|start| {
                let Start { run, ready } = start.value.0;
                let (ready, within) = ready.map_or_else(Default::default, |ready| {
                    let Ready { port, http, output, within } = ready.value;
                    let output = output.map(|output| drive::filled(&output, &scope));
                    let how = port
                        .map(Readiness::Port)
                        .or(http.map(|http| Readiness::Http(fill(&http))))
                        .or(output.map(Readiness::Output))
                        .unwrap_or_default();
                    (how, within.map(|Pause(within)| within))
                });
                StartHook { command: fill(&run), ready, within }
            }),
            stop: document.stop.and_then(|stop| {
                let Stop { run, signal } = stop.value.0;
                run.map(|run| StopHook::Run(fill(&run))).or(signal.map(StopHook::Signal))
            }),
            restart: document.restart.and_then(|restart| {
                let Restart { http, run, again } = restart.value.0;
                match (http, run, again) {
                    (Some(http), _, _) => {
                        let hook = RequestHook::of(http.value.into_step("POST"), scope.clone());
                        Some(RestartHook::Http(Box::new(hook)))
                    }
                    (_, Some(run), _) => Some(RestartHook::Run(fill(&run))),
                    (_, _, Some(true)) => Some(RestartHook::Again),
                    _ => None,
                }
            }),
            process,
            active: document.active.and_then(|gauge| read_from(gauge.value, &scope)),
            memory: document.memory.and_then(|gauge| read_from(gauge.value, &scope)),
            via: document.via.as_ref().map(|url| fill(url)),
            secrets: SecretKeys {
                values: document.secrets.iter().map(|text| fill(&named(text))).collect(),
                harmless: document.harmless.into_iter().chain(literal).collect(),
            },
            connection: ConnectionKeys {
                unix_socket: document.unix_socket.as_ref().map(|path| fill(path).into()),
                ca: document.ca.as_ref().map(|ca| NamedFile::of(ca, &source, &scope)),
                insecure: document.insecure.is_some_and(|insecure| insecure.value),
            },
            ..Self::default()
        })
    }
}

/// A text without variables is the name of one.
fn named(text: &Text) -> Text {
    match text.0.as_slice() {
        [Part::Plain(name)] => Text(vec![Part::Variable(name.clone(), Form::Plain)]),
        _ => text.clone(),
    }
}

/// The parameters of a URL that stand in the file with their values, as `room=lobby`: who reads outputs
/// may read the file, too.
fn literal_parameters(url: &Text) -> Vec<String> {
    const VARIABLE: &str = "\0";
    let url = url.with_each_as(VARIABLE);
    let query = url.split('#').next().and_then(|url| url.split_once('?'));
    let all = query.into_iter().flat_map(|(_, query)| query.split('&'));
    all.filter(|one| one.contains('=') && !one.contains(VARIABLE)).map(str::to_owned).collect()
}

/// Where the number is read, unless the process has it.
fn read_from(gauge: Gauge, scope: &Scope) -> Option<GaugeHook> {
    let Gauge { http, pointer, regex, process: _ } = gauge;
    let request = RequestHook::of(http?.value.into_step("GET"), scope.clone());
    let part = match (pointer, regex) {
        (Some(pointer), _) => drive::GaugePart::Pointer(pointer.fill(scope).unwrap_or_default()),
        (None, Some(regex)) => drive::GaugePart::Regex(drive::filled(&regex, scope)),
        (None, None) => drive::GaugePart::All,
    };
    Some(GaugeHook { request, part })
}
