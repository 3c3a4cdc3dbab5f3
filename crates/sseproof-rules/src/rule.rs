//! Rules and their verdicts.

use sseproof_http::Answer;

use crate::requirement::rule_texts;
use crate::{Record, Requirement, RuleText, View};

/// The code that judges one requirement over a record; its texts stand in `specs/`, with the
/// requirement.
pub struct Rule {
    /// `family/name`, as in `stream/utf8`.
    pub id: &'static str,
    pub judge: fn(&Record<'_>) -> Verdict,
    /// Servers that are wrong on purpose: each must fail this rule.
    pub mutants: &'static [Mutant],
}

/// A server that is wrong on purpose.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// Its name, unique in the registry, as in `latin1-payload`.
    pub id: &'static str,
    /// The fault it has: a sentence without capital and full stop.
    pub wrong: &'static str,
    pub serve: Answer,
    /// The protocol over which it is wrong.
    pub over: Over,
    pub host: Host,
    pub driven: Driven,
}

/// How the target of a run that shows the fault is driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driven {
    /// By one user; a stream of its own carries what is published.
    Usual,
    /// By two users, as the first of them: the private stream is wrong.
    TwoUsers,
    /// By one user; the answer to each publication is the stream that carries it.
    Answered,
}

/// The protocol below the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// HTTP/1.1 without TLS.
    Http1,
    /// HTTP/2.
    Http2,
    /// TLS with HTTP/1.1 alone.
    TlsHttp1,
}

/// Where a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// On this machine or in its network.
    Near,
    /// On a host outside of every private network.
    Abroad,
}

/// Rules on one side of a server.
pub(crate) struct Family {
    pub looks_at: LooksAt,
    /// In the order in which they are listed.
    pub rules: &'static [&'static Rule],
}

/// The part of a record that a rule judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LooksAt {
    Stream,
    /// The status line, headers and framing of one response.
    Head,
    /// Several exchanges, or times.
    Run,
}

/// The verdict of a rule on a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; with what was seen, as a fragment (`12 events in 3 exchanges`).
    Pass(String),
    /// It does not hold, with at least one fault. Of many alike, the first few are enough.
    Fail(Vec<Fault>),
    /// It could not be asked here, and why (`the stream has no ids`).
    Skip(String),
    /// The rule applies, and the evidence does not suffice for a verdict, for this reason.
    Inconclusive(String),
}

/// One place where a requirement is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub exchange: usize,
    pub place: Place,
    /// The message: a sentence without capital and full stop.
    pub message: String,
    /// The consequence for clients in this case, if it is more specific than the rule's `why`.
    pub consequence: Option<String>,
}

/// Where a fault lies in an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the exchange as a whole: its end, its times, that it has no answer.
    Exchange,
    /// In the field of that name, or in its absence.
    Header(String),
    StatusLine,
    Body(u64),
    /// At this offset of the body as it came, in its content coding.
    Coded(u64),
    /// At this offset of the bytes on the wire.
    Wire(u64),
}

impl Rule {
    /// The requirement that it judges.
    ///
    /// # Panics
    ///
    /// If `specs/` has no texts for the rule; a test reads them all.
    pub fn requirement(&self) -> &'static Requirement {
        self.in_specs().0
    }

    /// Its texts; panics as [`Rule::requirement`] does.
    pub fn text(&self) -> &'static RuleText {
        self.in_specs().1
    }

    pub(crate) fn is_in(&self, rules: &[&Self]) -> bool {
        rules.iter().any(|rule| rule.id == self.id)
    }

    fn in_specs(&self) -> (&'static Requirement, &'static RuleText) {
        let found = rule_texts().find(|(_, text)| text.id == self.id);
        found.unwrap_or_else(|| panic!("no requirement in specs/ has the texts of {}", self.id))
    }
}

impl Mutant {
    /// A server on this machine that is wrong over HTTP/1.1 and, with `wrong` for a sentence of
    /// which it is the subject, does that.
    pub const fn new(id: &'static str, wrong: &'static str, serve: Answer) -> Self {
        Self { id, wrong, serve, over: Over::Http1, host: Host::Near, driven: Driven::Usual }
    }

    pub(crate) const fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    pub(crate) const fn at(self, host: Host) -> Self {
        Self { host, ..self }
    }

    pub(crate) const fn private(self) -> Self {
        Self { driven: Driven::TwoUsers, ..self }
    }

    pub(crate) const fn answered(self) -> Self {
        Self { driven: Driven::Answered, ..self }
    }
}

impl Fault {
    /// A fault at an offset of the body.
    pub fn at(view: &View<'_>, offset: u64, message: impl Into<String>) -> Self {
        Self::new(view, Place::Body(offset), message)
    }

    /// A fault in a header field, or in its absence.
    pub fn header(view: &View<'_>, name: &str, message: impl Into<String>) -> Self {
        Self::new(view, Place::Header(name.to_owned()), message)
    }

    /// A fault of the exchange as a whole.
    pub fn whole(view: &View<'_>, message: impl Into<String>) -> Self {
        Self::new(view, Place::Exchange, message)
    }

    pub fn new(view: &View<'_>, place: Place, message: impl Into<String>) -> Self {
        Self { exchange: view.number, place, message: message.into(), consequence: None }
    }

    /// The same fault, with what it does to clients in this case.
    #[must_use]
    pub fn so(mut self, consequence: impl Into<String>) -> Self {
        self.consequence = Some(consequence.into());
        self
    }
}

/// The verdict on one of several exchanges that a rule judges one by one.
pub(crate) enum Single {
    Holds,
    Broken(Fault),
    Unclear(String),
}

impl Single {
    /// The verdict on all of them: the faults, or else the first doubt, or else `holds` of how many
    /// hold; without any, a skip for the reason `none`.
    pub(crate) fn sum(
        singles: impl IntoIterator<Item = Self>,
        holds: impl FnOnce(usize) -> String,
        none: &str,
    ) -> Verdict {
        let (mut faults, mut doubt, mut held) = (Vec::new(), None, 0);
        for single in singles {
            match single {
                Self::Holds => held += 1,
                Self::Broken(fault) => faults.push(fault),
                Self::Unclear(why) => doubt = doubt.or(Some(why)),
            }
        }
        match (faults.is_empty(), doubt, held) {
            (false, ..) => Verdict::Fail(faults),
            (true, Some(why), _) => Verdict::Inconclusive(why),
            (true, None, 0) => Verdict::Skip(none.to_owned()),
            (true, None, held) => Verdict::Pass(holds(held)),
        }
    }
}

impl Verdict {
    /// Fail with these faults, or pass with the note where there are none.
    pub fn from_faults(faults: Vec<Fault>, pass: impl Into<String>) -> Self {
        if faults.is_empty() { Self::Pass(pass.into()) } else { Self::Fail(faults) }
    }
}
