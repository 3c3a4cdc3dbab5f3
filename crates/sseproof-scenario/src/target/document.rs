//! What a target file may say, as serde reads it.

use serde::Deserialize;

use crate::model::{At, Headers, Http, Json, Method, Text};
use crate::yaml::Kind;

/// How to drive a target.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The URL of the stream, unless the command line names it.
    pub(super) url: Option<At<Text>>,
    /// Header fields of every request to the target.
    pub(super) headers: Option<At<Headers>>,
    /// What makes the server emit an event.
    pub(super) publish: Option<At<Publish>>,
    /// The protocol on top of the stream.
    pub(super) profile: Option<At<String>>,
}

impl Kind for Document {
    const NOUN: &'static str = "target";
    const BEGIN: &'static str = "begin the file with `url: http://127.0.0.1:8080/events`";
}

/// What makes the server emit an event: an HTTP request or a command.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    /// The path of the stream that carries what is published, where it is not that of the URL.
    pub(super) stream: Option<At<Text>>,
    /// The request.
    pub(super) http: Option<At<Request>>,
    /// The command; it runs without a shell.
    pub(super) run: Option<At<Text>>,
}

/// The request that publishes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    /// POST if nothing is said.
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
    /// The same as a step of a scenario.
    pub(super) fn into_step(self) -> Http {
        Http {
            path: self.path.map(|path| path.value),
            url: self.url.map(|url| url.value),
            method: self.method.or_else(|| Some(Method("POST".to_owned()))),
            headers: self.headers,
            body: self.body,
            json: self.json,
            status: None,
            within: None,
            name: None,
        }
    }
}
