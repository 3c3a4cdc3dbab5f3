//! The target: read from a file, overlaid by flags, and handed to the runner.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sseproof_http::{Bytes, Headers, Request};

use super::{
    GaugeHook, HookCall, NamedFile, PublishHook, RestartHook, ServerHandle, StartHook, StopHook,
};

/// The server under test, how a request for its stream looks, and how to drive it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL of the stream; empty until it is known: a file may leave it to the command line.
    pub url: String,
    pub method: String,
    /// Header fields of every request to it, those for authentication for instance.
    pub headers: Headers,
    pub body: Bytes,
    /// The credentials of another user, who must not see the events of the first.
    pub other: Option<Headers>,
    /// Makes the server emit an event. Without it, a `publish` step POSTs to `/publish`, and the
    /// dangerous payloads are left out.
    pub publish: Option<PublishHook>,
    /// The protocol on top of the stream: the id of a profile.
    pub profile: Option<String>,
    pub start: Option<StartHook>,
    pub stop: Option<StopHook>,
    pub restart: Option<RestartHook>,
    /// The server, if the run has started it.
    pub server: Option<ServerHandle>,
    /// Where to read how many producers are alive.
    pub active: Option<GaugeHook>,
    /// Where to read how many bytes of memory the server holds.
    pub memory: Option<GaugeHook>,
    /// The process to look into, if it is not the one that listens on the port of the URL.
    pub process: Option<u32>,
    /// The URL of the same stream through a proxy.
    pub via: Option<String>,
    /// The values of the variables of its file; those that were given win over them.
    pub vars: BTreeMap<String, String>,
    pub connection: ConnectionKeys,
    pub secrets: SecretKeys,
    /// How many bytes a `pour` publishes.
    pub pour: usize,
    /// Whether the stream is known to carry only what is published, so that a probe that waits for
    /// events publishes them; a run finds out by itself.
    pub is_silent: bool,
    /// How the server answers HEAD; a run finds out by itself.
    pub to_head: ToHead,
    /// The origins of servers that are the same as this one and independent of it, one for each probe;
    /// only the embedded server has some.
    pub twins: Vec<String>,
    /// Whether all probes are played one after the other.
    pub one_by_one: bool,
    /// The seed of the payloads that are generated.
    pub seed: u64,
}

/// How a server answers HEAD, as far as a run knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToHead {
    #[default]
    Unknown,
    /// If at all, then within this time: the headers of streams come much sooner.
    Within(Duration),
    Never,
}

/// The keys of a target file about secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretKeys {
    /// Values that no output may show.
    pub values: Vec<String>,
    /// Query parameters whose values any output may show: `room` with any value, `room=lobby` with this
    /// one.
    pub harmless: Vec<String>,
}

/// The keys of a target file or a plan about connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionKeys {
    /// The unix socket that the server listens on.
    pub unix_socket: Option<PathBuf>,
    /// The certificates that are trusted besides those of the system.
    pub ca: Option<NamedFile>,
    /// Whether any certificate is trusted.
    pub insecure: bool,
}

/// Values that take the place of those of a target.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    pub url: Option<String>,
    pub method: Option<String>,
    /// They take the place of their namesakes only.
    pub headers: Headers,
    pub body: Option<Bytes>,
    pub publish: Option<PublishHook>,
    pub profile: Option<String>,
    pub start: Option<StartHook>,
    pub active: Option<GaugeHook>,
    pub via: Option<String>,
    pub seed: Option<u64>,
}

/// How many bytes a `pour` publishes if nothing is said: several times as many as the buffers on the
/// way to a `narrow` connection hold, and less than the recorder keeps of a body.
const POUR: usize = 7 << 19;

impl Default for Target {
    fn default() -> Self {
        Self {
            url: String::new(),
            method: "GET".to_owned(),
            headers: Headers::default(),
            body: Bytes::default(),
            other: None,
            publish: None,
            profile: None,
            start: None,
            stop: None,
            restart: None,
            server: None,
            active: None,
            memory: None,
            process: None,
            via: None,
            vars: BTreeMap::new(),
            connection: ConnectionKeys::default(),
            secrets: SecretKeys::default(),
            pour: POUR,
            is_silent: false,
            to_head: ToHead::default(),
            twins: Vec::new(),
            one_by_one: false,
            seed: 0,
        }
    }
}

impl Target {
    /// A target that is asked by GET.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), ..Self::default() }
    }

    /// The same target with these values in place of its own.
    #[must_use]
    pub fn overlay(mut self, over: Overlay) -> Self {
        self.headers.0.retain(|header| !over.headers.has(&header.name));
        self.headers.0.extend(over.headers.0);
        Self {
            url: over.url.unwrap_or(self.url),
            method: over.method.unwrap_or(self.method),
            body: over.body.unwrap_or(self.body),
            publish: over.publish.or(self.publish),
            profile: over.profile.or(self.profile),
            start: over.start.or(self.start),
            active: over.active.or(self.active),
            via: over.via.or(self.via),
            seed: over.seed.unwrap_or(self.seed),
            ..self
        }
    }

    /// How the server is made to send an event to its subscribers.
    pub fn publisher(&self) -> Option<&PublishHook> {
        self.publish.as_ref().filter(|hook| !hook.answers)
    }

    /// The twin with this index; this target if it has not so many.
    #[must_use]
    pub fn twin(&self, index: usize) -> Self {
        let mut twin = self.clone();
        let Some(origin) = self.twins.get(index) else { return twin };
        let own = self.url.strip_suffix(Request::subscribe(self.url.as_str()).target());
        if let Some(own) = own {
            twin.url = self.url.replacen(own, origin, 1);
            twin.via = self.via.as_ref().map(|via| via.replacen(own, origin, 1));
        }
        twin
    }

    /// The path of the stream that carries what is published, if it is not that of the URL.
    pub fn published_stream(&self) -> Option<&str> {
        let stream = self.publisher()?.stream.as_deref()?;
        (Request::subscribe(self.url.as_str()).target() != stream).then_some(stream)
    }

    /// The requests to the server that are in no transcript: their credentials must not be in
    /// the messages of a run either.
    pub fn requests_besides(&self) -> Vec<Request> {
        let with = |headers: &Headers| {
            let mut request = Request::subscribe(self.url.as_str());
            request.headers.clone_from(headers);
            request
        };
        let mut requests = vec![with(&self.headers)];
        requests.extend(self.other.as_ref().map(with));
        requests.extend(self.via.as_deref().map(Request::subscribe));
        if let Some(Ok(HookCall::Send(publish))) =
            self.publish.as_ref().map(|hook| hook.call(self, ""))
        {
            requests.push(publish);
        }
        let gauges = [&self.active, &self.memory].into_iter().flatten();
        let restart = match &self.restart {
            Some(RestartHook::Http(hook)) => Some(&**hook),
            _ => None,
        };
        let hooks = gauges.map(|gauge| &gauge.request).chain(restart);
        requests.extend(hooks.filter_map(|hook| hook.request(self).ok()));
        requests
    }
}
