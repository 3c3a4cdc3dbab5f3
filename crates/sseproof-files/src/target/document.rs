//! The keys of a target file, as serde reads them.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::mistake::Slip;
use crate::model::{
    At, Form, Headers, Http, Json, Method, Part, Pattern, Pause, Short, Shorthand, Text,
};
use crate::yaml::Kind;

/// How to drive a target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sseproof target")]
pub(crate) struct Document {
    /// The URL of the stream, unless the command line names it.
    pub(super) url: Option<At<Text>>,
    /// Values for `${name}` in this file, in the scenarios, and in what the profile sends; `--var`
    /// wins over them.
    #[serde(default)]
    pub(super) vars: BTreeMap<String, At<Text>>,
    /// The unix socket that the server listens on, in place of the host and port of the URL.
    #[serde(rename = "unix-socket")]
    pub(super) unix_socket: Option<At<Text>>,
    /// The certificates (PEM) that are trusted besides those of the system: a path, from this file.
    pub(super) ca: Option<At<Text>>,
    /// Whether any certificate is trusted.
    pub(super) insecure: Option<At<bool>>,
    /// Header fields of every request to the target.
    pub(super) headers: Option<At<Headers>>,
    /// Another user, who must not see the events of the first.
    pub(super) other: Option<At<Other>>,
    /// How to make the server send an event.
    pub(super) publish: Option<At<Publish>>,
    /// The protocol on top of the stream.
    pub(super) profile: Option<At<String>>,
    /// The command that starts the server before the run.
    pub(super) start: Option<At<Short<Start>>>,
    /// How the server is stopped after the run (default: SIGTERM).
    pub(super) stop: Option<At<Short<Stop>>>,
    /// How the server is restarted: `true` stops it and starts it again.
    pub(super) restart: Option<At<Short<Restart>>>,
    /// Where to read how many producers are alive, if not from the server's process.
    pub(super) active: Option<At<Gauge>>,
    /// Where to read how many bytes of memory the server holds, if not from its process.
    pub(super) memory: Option<At<Gauge>>,
    /// The URL of the same stream through a proxy.
    pub(super) via: Option<At<Text>>,
    /// Variables whose values no output may show, by name (`tenant`) or as text
    /// (`${env:TENANT}`), besides those that are found by their names and forms.
    #[serde(default)]
    pub(super) secrets: Vec<At<Text>>,
    /// Query parameters whose values any output may show.
    #[serde(default)]
    pub(super) harmless: Vec<String>,
}

impl Kind for Document {
    const NOUN: &'static str = "target";
    const BEGIN: &'static str = "begin the file with `url: http://127.0.0.1:8080/events`";
}

/// Another user of the target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    /// The credentials of that user, in place of those of `headers`.
    pub(super) headers: At<Headers>,
}

/// How to make the server send an event: an HTTP request or a command.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    /// The path of the stream that carries what is published, where it is not that of the URL.
    pub(super) stream: Option<At<Text>>,
    /// Whether the answer to the request is itself the stream that carries what is published, and
    /// no other stream does.
    pub(super) answer: Option<At<bool>>,
    /// The request.
    pub(super) http: Option<At<Request>>,
    /// The command; it runs without a shell.
    pub(super) run: Option<At<Text>>,
}

/// A request that drives the server, or reads from it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// POST to publish and to restart, GET to read a gauge, if nothing is said.
    pub(super) method: Option<Method>,
    /// The path and query, on the target's server.
    pub(super) path: Option<At<Text>>,
    /// A whole URL, for another server.
    pub(super) url: Option<At<Text>>,
    /// Header fields, besides those of the target.
    #[serde(default)]
    pub(super) headers: Headers,
    /// The body.
    pub(super) body: Option<Text>,
    /// The body as JSON, with its content type.
    pub(super) json: Option<Json>,
}

impl Request {
    /// The same, with the data as its body where it says of no body.
    pub(crate) fn with_data(mut self) -> Self {
        if self.body.is_none() && self.json.is_none() {
            let data = Part::Variable(super::hook::DATA.to_owned(), Form::Plain);
            self.body = Some(Text(vec![data]));
        }
        self
    }

    /// The same as a step of a scenario; `method` where the file says none.
    pub(super) fn into_step(self, method: &str) -> Http {
        Http {
            path: self.path.map(|path| path.value),
            url: self.url.map(|url| url.value),
            method: self.method.or_else(|| Some(Method(method.to_owned()))),
            headers: self.headers,
            body: self.body,
            json: self.json,
            status: None,
            within: None,
            name: None,
        }
    }
}

/// The command that starts the server, and how to see that it is ready.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The command; it runs without a shell.
    pub(super) run: At<Text>,
    /// When it is ready; when the port of the URL accepts connections, if nothing is said.
    pub(super) ready: Option<At<Ready>>,
}

impl Shorthand for Start {
    const EXPECTED: &'static str = "a command";
    const WRITTEN: &'static str =
        "`start: python app.py`, or `start: { run: python app.py, ready: { port: 8080 } }`";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { run: At::unplaced(Text::parse(text)?), ready: None })
    }
}

/// The sign that a started server is ready: one of `port`, `http` and `output`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    /// This port of this machine accepts connections.
    pub(super) port: Option<u16>,
    /// This path, or URL, answers with a status from 200 to 399.
    pub(super) http: Option<Text>,
    /// It prints a line that this regular expression matches.
    pub(super) output: Option<Pattern>,
    /// How long that may take (10s if nothing is said).
    pub(super) within: Option<Pause>,
}

/// How the server is stopped: one of `run` and `signal`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    /// A command; it runs without a shell.
    pub(super) run: Option<At<Text>>,
    /// A signal for the process group that was started.
    pub(super) signal: Option<Signal>,
}

/// The signals that ask a server to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(rename = "Signal")]
pub enum Signal {
    /// SIGTERM.
    Term,
    /// SIGINT, as Ctrl-C.
    Int,
    /// SIGQUIT.
    Quit,
    /// SIGKILL: the server has no time to save anything.
    Kill,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Kill => "SIGKILL",
        })
    }
}

impl Shorthand for Stop {
    const EXPECTED: &'static str = "a command";
    const WRITTEN: &'static str = "`stop: ./stop --now`, or `stop: { signal: INT }`";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { run: Some(At::unplaced(Text::parse(text)?)), signal: None })
    }
}

/// How the server is restarted: one of `http` and `run`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    /// A request that makes the server restart.
    pub(super) http: Option<At<Request>>,
    /// A command that restarts it; it runs without a shell.
    pub(super) run: Option<At<Text>>,
    /// By `stop` and `start`: written `restart: true`.
    #[serde(skip)]
    pub(super) again: Option<bool>,
}

impl Shorthand for Restart {
    const EXPECTED: &'static str = "`true` or a command";
    const WRITTEN: &'static str = "`restart: true` to stop it and `start` it again, or `restart: { run: docker restart app }`";

    fn short(text: &str) -> Result<Self, Slip> {
        let none = Self { http: None, run: None, again: None };
        Ok(match text {
            "true" => Self { again: Some(true), ..none },
            "false" => Self { again: Some(false), ..none },
            command => Self { run: Some(At::unplaced(Text::parse(command)?)), ..none },
        })
    }
}

/// Where a number is read: over HTTP, or from a process.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Gauge {
    /// The request whose answer has the number.
    pub(super) http: Option<At<Request>>,
    /// Where in the answer, which is JSON: `/streams/open`.
    pub(super) pointer: Option<At<Text>>,
    /// The part of the response: the first group of this regular expression, or its whole match.
    pub(super) regex: Option<Pattern>,
    /// The server's process: `true` for the one that listens on the port of the URL.
    pub(super) process: Option<Short<Whose>>,
}

/// The process to look into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    /// Its id; the process that listens on the port of the URL, if nothing is said.
    pub(super) pid: Option<u32>,
}

impl Shorthand for Whose {
    const EXPECTED: &'static str = "`true` or the id of a process";
    const WRITTEN: &'static str = "`process: true`, or `process: 1234`";

    fn short(text: &str) -> Result<Self, Slip> {
        match (text, text.parse()) {
            ("true", _) => Ok(Self { pid: None }),
            (_, Ok(pid)) => Ok(Self { pid: Some(pid) }),
            _ => Err(Slip::instead(
                format!("`{text}` is not a process"),
                format!("write {}", Self::WRITTEN),
            )),
        }
    }
}
