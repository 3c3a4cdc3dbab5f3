//! What a run is told of its target.

use sseproof_record::{Bytes, Headers, Request};

use super::{Act, GaugeHook, PublishHook, RestartHook};

/// What is under test, and how a request for its stream looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetConfig {
    /// The URL of the stream.
    pub url: String,
    /// The method that asks for it.
    pub method: String,
    /// Header fields of every request to it, those for authentication for instance.
    pub headers: Headers,
    /// The body that asks for it, empty for none.
    pub body: Bytes,
    /// The credentials of another user, who must not see the events of the first.
    pub other: Option<Headers>,
    /// What makes the server emit an event; where nothing is said, a `publish` step POSTs to
    /// `/publish`, and the dangerous payloads are left out.
    pub publish: Option<PublishHook>,
    /// The protocol on top that was chosen, for whoever judges the record.
    pub profile: Option<String>,
    /// Where to read how many producers are alive.
    pub active: Option<GaugeHook>,
    /// Where to read how many bytes of memory the server holds.
    pub memory: Option<GaugeHook>,
    /// The process to look into, where it is not the one that listens on the port of the URL.
    pub process: Option<u32>,
    /// What restarts the server.
    pub restart: Option<RestartHook>,
    /// The URL of the same stream through a proxy.
    pub via: Option<String>,
    /// How many bytes a `pour` publishes.
    pub pour: usize,
    /// Whether the stream is known to carry only what is published, so that a probe that waits for
    /// events publishes them; [`run_all`] finds out by itself.
    pub is_silent: bool,
    /// The seed of the payloads that are generated.
    pub seed: u64,
}

/// How many bytes a `pour` publishes if nothing is said: several times what lies on the way to a
/// `narrow` connection, and less than the recorder keeps of a body.
const POUR: usize = 7 << 19;

impl TargetConfig {
    /// A target that is asked by GET.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: "GET".to_owned(),
            headers: Headers::default(),
            body: Bytes::default(),
            other: None,
            publish: None,
            profile: None,
            active: None,
            memory: None,
            process: None,
            restart: None,
            via: None,
            pour: POUR,
            is_silent: false,
            seed: 0,
        }
    }

    /// What is asked of the server besides: what a run says of it is to be free of credentials, and
    /// these stand in no transcript.
    pub fn requests_besides(&self) -> Vec<Request> {
        let with = |headers: &Headers| {
            let mut request = Request::subscribe(self.url.as_str());
            request.headers.clone_from(headers);
            request
        };
        let mut requests = vec![with(&self.headers)];
        requests.extend(self.other.as_ref().map(with));
        requests.extend(self.via.as_deref().map(Request::subscribe));
        if let Some(Ok(Act::Send(publish))) = self.publish.as_ref().map(|hook| hook.act(self, "")) {
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
