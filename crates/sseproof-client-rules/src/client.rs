//! The decisions of a client, without its sockets: the reference client, which its mutants change.
//!
//! It follows the standard of `EventSource`. Where that leaves freedom, it does what spares the
//! server: it waits longer after each failure, spreads its reconnections, bounds the announced
//! reconnection time, and sends credentials to no other origin.

use std::time::Duration;

use sseproof_codec::Item;
use sseproof_http::{Coding, EVENT_STREAM, Headers, Request, is_credential};
use url::Url;

use crate::protocol::{Call, Connect, Event, Kind, Opened, Ready};

/// The reconnection time before the server or the user sets one.
pub(crate) const RETRY: Duration = Duration::from_secs(3);
/// The longest wait after failures, and the longest announced reconnection time.
const LONGEST: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(24 * 3600));
/// How many redirects are followed one after the other.
const REDIRECTS: u32 = 20;

/// A connection of the client, with all that its decisions depend on.
#[derive(Clone, Debug)]
pub struct State {
    pub kind: Kind,
    pub id: u64,
    pub connect: Connect,
    /// The URL, method and body of the next request, which redirects change.
    pub url: String,
    pub method: String,
    pub body: String,
    pub redirects: u32,
    pub last_event_id: String,
    pub retry: Duration,
    /// How many attempts in a row have brought no open stream.
    pub failures: u32,
    /// How many streams were opened.
    pub opened: u32,
    pub ready: Ready,
    /// How many events and errors the user was given.
    pub events: u64,
    pub errors: u64,
    /// The header fields of the last response.
    pub answer: Headers,
    /// Whether the last connection speaks HTTP/2.
    pub is_http2: bool,
    /// The cookies that the server has set, as in `a=1; b=2`.
    pub cookies: String,
    /// For mutants that hold something back.
    pub held: Vec<u8>,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    pub status: u16,
    pub headers: &'a Headers,
}

/// The decision on an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accept {
    Open,
    /// The client waits for another response to the same request.
    Wait,
    /// The client requests this URL next.
    Follow(String),
    /// The client gives up, for this reason.
    Fail(String),
    /// The client tries again, after this failure.
    Retry(String),
}

/// How a stream, or the attempt to open one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The response is complete.
    End,
    /// The response is cut.
    Broken(String),
    /// There was no response.
    Unreachable(String),
    /// The response is an error that the client hopes to be over soon.
    Refused(String),
}

/// The effect of `close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    AtOnce,
    /// The events of the bytes that were read are still delivered.
    AfterDelivery,
    /// The user hears nothing more, but the connection stays open.
    KeepsConnection,
    /// The connection is closed, and the client reconnects.
    Reconnects,
}

/// A fault of a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistrust {
    UnknownIssuer,
    Expired,
    OtherName,
    /// Any other failure of the handshake.
    Other,
}

/// The decisions of a client.
#[derive(Clone, Copy)]
pub struct Hooks {
    pub request: fn(&State) -> Request,
    pub accept: fn(&State, Answer<'_>) -> Accept,
    /// The redirect that was decided on, and its status.
    pub follow: fn(&mut State, u16, String),
    /// The coding that the client removes from the last response.
    pub coding: fn(&State) -> Option<Coding>,
    /// The bytes for the decoder, of those that have come; the second is whether they are the last.
    pub received: fn(&mut State, &[u8], bool) -> Vec<u8>,
    /// The calls for an item of the stream.
    pub dispatch: fn(&mut State, &Item<'_>) -> Vec<Call>,
    /// The last event ID to keep, of that of the decoder.
    pub remember: fn(&State, &str) -> String,
    /// How long the client waits until it reconnects; `None` if it does not.
    pub lost: fn(&State, &Loss) -> Option<Duration>,
    /// The calls that are made in the place of this one.
    pub call: fn(&State, Call) -> Vec<Call>,
    pub close: fn(&State) -> Closing,
    /// Whether the client sends its request to a server with this fault in its certificate.
    pub trusts: fn(&State, Mistrust) -> bool,
    /// Whether the client reads no more of the response while its user takes no events.
    pub pauses: fn(&State) -> bool,
    /// How long the client waits for the next byte of a response; without end if it is `None`.
    pub read_timeout: fn(&State) -> Option<Duration>,
    /// Whether a piece of the response starts that wait anew; the second is whether an event came
    /// with it.
    pub counts: fn(&State, bool) -> bool,
}

/// A client that follows the standard.
pub const REFERENCE: Hooks = Hooks {
    request,
    accept,
    follow,
    coding: |state| Coding::of(&state.answer),
    received: |_, bytes, _| bytes.to_vec(),
    dispatch,
    remember: |_, id| id.to_owned(),
    lost,
    call: |_, call| vec![call],
    close: |_| Closing::AtOnce,
    trusts: |_, _| false,
    pauses: |_| true,
    read_timeout: |state| state.connect.read_timeout.map(Duration::from_millis),
    counts: |_, _| true,
};

impl State {
    pub fn new(kind: Kind, id: u64, connect: Connect) -> Self {
        Self {
            kind,
            id,
            url: connect.url.clone(),
            method: connect.method.clone().unwrap_or_else(|| "GET".to_owned()),
            body: connect.body.clone().unwrap_or_default(),
            redirects: 0,
            last_event_id: connect.last_event_id.clone().unwrap_or_default(),
            retry: connect.retry.map_or(RETRY, Duration::from_millis),
            failures: 0,
            opened: 0,
            ready: Ready::Connecting,
            events: 0,
            errors: 0,
            answer: Headers::default(),
            is_http2: false,
            cookies: String::new(),
            held: Vec::new(),
            connect,
        }
    }

    /// Back to the request that the user asked for: the standard follows redirects anew each time.
    pub fn restart(&mut self) {
        let Self { connect, .. } = self;
        self.url = connect.url.clone();
        self.method = connect.method.clone().unwrap_or_else(|| "GET".to_owned());
        self.body = connect.body.clone().unwrap_or_default();
        self.redirects = 0;
    }

    /// Keeps the cookies of a response; their attributes do not matter here.
    pub fn keep_cookies(&mut self) {
        let set = self.answer.all("set-cookie").map(|field| field.value.escaped());
        let pairs = set.filter_map(|set| set.split(';').next().map(str::to_owned));
        let pairs: Vec<_> = pairs.collect();
        if !pairs.is_empty() {
            self.cookies = pairs.join("; ");
        }
    }

    /// Whether its user takes no events any more.
    pub fn is_paused(&self) -> bool {
        self.connect.pause.is_some_and(|last| self.events >= last)
    }

    pub fn opened(&self) -> Opened {
        Opened { state: Some(self.ready) }
    }
}

pub fn request(state: &State) -> Request {
    let mut request = Request::subscribe(&state.url);
    request.method.clone_from(&state.method);
    request.body = state.body.as_str().into();
    request.headers.set("Accept-Encoding", "gzip, deflate");
    let stays = origin(&state.url) == origin(&state.connect.url);
    for (name, value) in &state.connect.headers {
        if stays || !is_credential(name) {
            request.headers.set(name, value.as_str());
        }
    }
    if state.connect.credentials && stays && !state.cookies.is_empty() {
        request.headers.set("Cookie", state.cookies.as_str());
    }
    if !state.last_event_id.is_empty() {
        request.headers.set("Last-Event-ID", state.last_event_id.as_str());
    }
    request
}

pub(crate) fn origin(url: &str) -> Option<url::Origin> {
    Url::parse(url).ok().map(|url| url.origin())
}

pub fn accept(state: &State, answer: Answer<'_>) -> Accept {
    let Answer { status, headers } = answer;
    if (100..200).contains(&status) {
        return Accept::Wait;
    }
    if matches!(status, 301 | 302 | 303 | 307 | 308) {
        let named = headers.first("location").filter(|place| !place.is_empty());
        let place = named.and_then(|place| Url::parse(&state.url).ok()?.join(&place).ok());
        return match place.filter(|place| matches!(place.scheme(), "http" | "https")) {
            Some(_) if state.redirects >= REDIRECTS => {
                Accept::Fail("too many redirects".to_owned())
            }
            Some(place) => Accept::Follow(place.into()),
            None => Accept::Fail(format!("status {status} without a valid Location")),
        };
    }
    if status == 503 && state.kind == Kind::Resilient {
        return Accept::Retry("status 503".to_owned());
    }
    if status != 200 {
        return Accept::Fail(format!("status {status}"));
    }
    let media_type = headers.first("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(EVENT_STREAM) {
        Accept::Open
    } else {
        Accept::Fail(format!("the content type is not {EVENT_STREAM}"))
    }
}

pub fn follow(state: &mut State, status: u16, place: String) {
    let becomes_get = match status {
        303 => !matches!(state.method.as_str(), "GET" | "HEAD"),
        301 | 302 => state.method == "POST",
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut state.method);
        state.body.clear();
    }
    state.url = place;
    state.redirects += 1;
}

pub fn dispatch(state: &mut State, item: &Item<'_>) -> Vec<Call> {
    match item {
        Item::Event(event) => {
            let types = &state.connect.types;
            let is_heard = event.event_type == "message"
                || types.iter().any(|heard| *heard == event.event_type);
            let call = Call::Event(Event {
                event_type: event.event_type.clone().into_owned(),
                data: event.data.clone().into_owned(),
                last_event_id: Some(event.last_event_id.clone().into_owned()),
                origin: origin(&state.url).map(|origin| origin.ascii_serialization()),
            });
            is_heard.then_some(call).into_iter().collect()
        }
        Item::Comment(comment) => vec![Call::Comment(comment.text.clone().into_owned())],
        Item::Retry(retry) => {
            state.retry = Duration::from_millis(retry.millis).min(LONGEST.1);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

pub fn lost(state: &State, loss: &Loss) -> Option<Duration> {
    if state.kind == Kind::Reader {
        return None;
    }
    let doubled = match loss {
        Loss::End | Loss::Broken(_) => state.retry,
        Loss::Unreachable(_) | Loss::Refused(_) => {
            let factor = 1 << state.failures.saturating_sub(1).min(16);
            let longest = LONGEST.0.max(state.retry);
            state.retry.saturating_mul(factor).min(longest)
        }
    };
    let wait = doubled + jitter(state, doubled);
    let asked = state.answer.first("retry-after").and_then(|seconds| seconds.parse().ok());
    Some(wait.max(asked.map_or(Duration::ZERO, Duration::from_secs).min(LONGEST.1)))
}

/// Up to a quarter of the wait, different for each connection and attempt, so that clients that
/// lost the same server do not all return at once.
fn jitter(state: &State, wait: Duration) -> Duration {
    let seed =
        state.id.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(state.failures + state.opened);
    let share = seed.wrapping_mul(0xD134_2543_DE82_EF95) >> 56;
    wait * u32::try_from(share).unwrap_or_default() / 1024
}
