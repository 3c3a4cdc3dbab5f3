//! The behaviour of a server, and the connections that the client is asked for.

use std::time::Duration;

use sseproof_http::{Action, Bytes, Framing, Headers, Plan, Request};

use crate::{Can, Connect, Kind};

/// A situation in which clients are watched.
pub struct Case {
    /// As in `retry-heeded`.
    pub id: &'static str,
    /// The behaviour of the server, with `the server` as the subject.
    pub about: &'static str,
    /// The clients that are asked; all if it is empty.
    pub kinds: &'static [Kind],
    /// The options and messages that their adapters must support.
    pub needs: &'static [Can],
    /// The connections that the client is asked for, at the start.
    pub connects: fn(&Origins) -> Vec<Connect>,
    /// How many connections are asked for before one has read its first response; the paths of
    /// such connections differ.
    pub lanes: usize,
    pub answer: Answerer,
    pub acts: &'static [Act],
    /// Nothing more is to be seen once this has come and the quiet time has passed.
    pub until: When,
    pub quiet: Quiet,
    /// The longest time without anything new before the case ends without `until`, if that is longer
    /// than this client takes to reconnect.
    pub patience: Duration,
    /// Whether the memory of the client's process is read all the time.
    pub measured: bool,
    /// Whether it is only played when long waits were asked for.
    pub idle: bool,
    /// Whether no other case may be played beside it.
    pub alone: bool,
    pub over: Transport,
}

/// The protocols below the stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    #[default]
    Http1,
    /// HTTP/1.1 over TLS, with this certificate.
    Tls(Certificate),
    /// HTTP/2 over TLS, for clients that offer it.
    Http2,
}

/// The certificate of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The client was set up to trust its authority.
    Trusted,
    /// The client does not know its authority.
    UnknownIssuer,
    Expired,
    /// It is for another host.
    OtherName,
}

/// The server's response to a request: a pure function of the visit.
pub type Answerer = fn(&CaseVisit<'_>) -> Plan;

/// A request, as the answer sees it.
pub struct CaseVisit<'a> {
    pub request: &'a Request,
    /// How many requests of the case came before.
    pub earlier: u64,
    /// How many of them were for the same path.
    pub here: u64,
    pub origins: &'a Origins,
}

/// Where the server of a case is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// As in `http://127.0.0.1:4711`.
    pub own: String,
    /// The same server under another name, which is another origin.
    pub other: String,
    /// The same host and port without TLS.
    pub plain: String,
}

/// An action in the course of a case.
pub struct Act {
    pub when: When,
    /// The time after it.
    pub after: Duration,
    pub what: Do,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// The client is asked to close each of its connections.
    Close,
    /// The server stops to listen and closes all its connections.
    Away,
    /// The server listens again.
    Back,
    /// The server closes all its connections.
    Cut,
}

/// A moment of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Its beginning.
    Start,
    /// That many requests have come.
    Requests(usize),
    /// That many responses are over.
    Ends(usize),
    /// That many events were delivered.
    Events(usize),
    /// That many errors were reported.
    Errors(usize),
    /// That many opened connections were reported.
    Opens(usize),
    /// Each connection was reported as closed, or that many were.
    Closes(usize),
    /// That many handshakes of TLS are over.
    Handshakes(usize),
    /// The first response to each connection is over.
    Read,
    /// The first act with this index was done.
    Done(usize),
    /// Never: the case lasts as long as it may.
    Never,
}

/// How long nothing may happen at the end of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Just long enough for what is under way.
    Short,
    /// As long as this client may take to reconnect.
    Reconnect,
    Time(Duration),
}

impl Case {
    pub const fn new(id: &'static str, about: &'static str, answer: Answerer) -> Self {
        Self {
            id,
            about,
            kinds: &[],
            needs: &[],
            connects: |origins| vec![Connect::to(format!("{}/", origins.own))],
            lanes: usize::MAX,
            answer,
            acts: &[],
            until: When::Never,
            quiet: Quiet::Short,
            patience: Duration::ZERO,
            measured: false,
            idle: false,
            alone: false,
            over: Transport::Http1,
        }
    }

    /// Only for clients that reconnect.
    pub const fn reconnecting(self) -> Self {
        Self { kinds: &[Kind::Eventsource, Kind::Resilient], ..self }
    }

    /// Only for clients that follow the standard of `EventSource`.
    pub const fn standard(self) -> Self {
        Self { kinds: &[Kind::Eventsource], ..self }
    }

    /// Only for clients that reconnect by a policy of their own.
    pub const fn resilient(self) -> Self {
        Self { kinds: &[Kind::Resilient], ..self }
    }

    /// Only for clients that read one response.
    pub const fn reading(self) -> Self {
        Self { kinds: &[Kind::Reader], ..self }
    }

    pub const fn needs(self, needs: &'static [Can]) -> Self {
        Self { needs, ..self }
    }

    pub const fn connects(self, connects: fn(&Origins) -> Vec<Connect>) -> Self {
        Self { connects, ..self }
    }

    pub const fn lanes(self, lanes: usize) -> Self {
        Self { lanes, ..self }
    }

    pub const fn acts(self, acts: &'static [Act]) -> Self {
        Self { acts, ..self }
    }

    pub const fn until(self, until: When, quiet: Quiet) -> Self {
        Self { until, quiet, ..self }
    }

    pub const fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Played alone, because the memory is that of all connections.
    pub const fn measured(self) -> Self {
        Self { measured: true, alone: true, ..self }
    }

    pub const fn over(self, over: Transport) -> Self {
        Self { over, ..self }
    }

    pub const fn idle(self) -> Self {
        Self { idle: true, ..self }
    }

    pub const fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

impl Act {
    pub const fn new(when: When, after: Duration, what: Do) -> Self {
        Self { when, after, what }
    }
}

/// An event stream, as the beginning of an answer.
pub fn stream() -> Answered {
    let headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")];
    let headers = headers.into_iter().collect();
    let head = Action::Head { status: 200, headers, framing: Framing::Chunked };
    Answered(vec![head])
}

/// No response yet, as the beginning of an answer.
pub fn silence() -> Answered {
    Answered(Vec::new())
}

/// An answer with this status that is not a stream.
pub fn status(status: u16) -> Plan {
    if status == 204 {
        let head = Action::Head { status, headers: Headers::default(), framing: Framing::None };
        return Plan { actions: vec![head, Action::Finish] };
    }
    Plan::answer(status, "text/plain", "not a stream\n")
}

/// An answer that sends the client to another place.
pub fn redirect(status: u16, location: &str) -> Plan {
    Plan::answer(status, "text/plain", "").with_header("Location", location)
}

/// An answer in the making.
pub struct Answered(Vec<Action>);

impl Answered {
    /// Writes and flushes these bytes.
    #[must_use]
    pub fn write(mut self, bytes: impl Into<Bytes>) -> Self {
        self.0.extend([Action::Write(bytes.into()), Action::Flush]);
        self
    }

    #[must_use]
    pub fn wait(self, millis: u64) -> Self {
        self.then(Action::Wait(Duration::from_millis(millis)))
    }

    #[must_use]
    pub fn then(mut self, action: Action) -> Self {
        self.0.push(action);
        self
    }

    /// Ends the body as its framing demands.
    #[must_use]
    pub fn end(self) -> Plan {
        self.then(Action::Finish).plan()
    }

    /// Stays open until the client disconnects.
    #[must_use]
    pub fn hold(self) -> Plan {
        self.then(Action::Hold).plan()
    }

    pub fn plan(self) -> Plan {
        Plan { actions: self.0 }
    }
}

/// The steps of an answer, for people: `200 text/event-stream`, `writes "data: a\n\n"`, `ends`.
pub fn described(plan: &Plan) -> Vec<String> {
    let mut steps: Vec<(String, usize)> = Vec::new();
    for step in plan.actions.iter().filter_map(describe) {
        match steps.last_mut() {
            Some((last, times)) if *last == step => *times += 1,
            _ => steps.push((step, 1)),
        }
    }
    let text = |(step, times)| if times == 1 { step } else { format!("{step}, {times} times") };
    steps.into_iter().map(text).collect()
}

fn describe(action: &Action) -> Option<String> {
    /// How many bytes of a write are shown.
    const SHOWN: usize = 120;
    let quoted = |bytes: &Bytes| match bytes.len() {
        0..=SHOWN => format!("\"{}\"", bytes.escaped()),
        length => format!("\"{}…\" ({length} bytes)", bytes.slice(..SHOWN).escaped()),
    };
    Some(match action {
        Action::Head { status, headers, framing } => {
            let mut text = format!("status {status}");
            for name in ["content-type", "content-encoding", "location", "retry-after"] {
                for header in headers.all(name) {
                    text.push_str(&format!(", {name}: {}", header.value.escaped()));
                }
            }
            match framing {
                Framing::Chunked | Framing::None => {}
                Framing::Close => text.push_str(", no length"),
                Framing::Length(length) => text.push_str(&format!(", content-length: {length}")),
            }
            text
        }
        Action::Write(bytes) => format!("writes {}", quoted(bytes)),
        Action::Raw(bytes) => format!("writes, outside of the framing, {}", quoted(bytes)),
        Action::Wait(time) => format!("waits {} ms", time.as_millis()),
        Action::Finish => "ends the response".to_owned(),
        Action::Close => "closes the connection".to_owned(),
        Action::Reset => "resets the connection".to_owned(),
        Action::Hold => "stays open".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_described_step_by_step() {
        let plan = stream().write("data: a\n\n").wait(20).hold();
        let expected = [
            "status 200, content-type: text/event-stream",
            r#"writes "data: a\n\n""#,
            "waits 20 ms",
            "stays open",
        ];
        assert_eq!(described(&plan), expected);
        let long = stream().write(vec![b'a'; 500]).end();
        assert!(described(&long)[1].ends_with("(500 bytes)"), "{:?}", described(&long));
        let twice = stream().write("a").write("a").end();
        assert_eq!(described(&twice)[1], r#"writes "a", 2 times"#);
    }
}
