//! What a rule is made of, and what it answers.

use sseproof_record::Answer;

use crate::requirement::rule_texts;
use crate::{Record, Requirement, RuleText, View};

/// The code that judges one requirement over a record; its texts stand in `specs/`, with the
/// requirement.
pub struct Rule {
    /// `family/name`, as in `stream/utf8`.
    pub id: &'static str,
    /// The judge.
    pub judge: fn(&Record<'_>) -> Verdict,
    /// Servers that are wrong on purpose: each must fail this rule.
    pub mutants: &'static [Mutant],
}

/// A server that is wrong on purpose.
#[derive(Clone, Copy)]
pub struct Mutant {
    /// Its name, unique in the registry, as in `latin1-payload`; one that begins with `h2-` is
    /// wrong over HTTP/2 alone, with `tls-` over TLS, with `abroad-` on a host that is not near.
    pub id: &'static str,
    /// What it does wrong: a sentence without capital and full stop.
    pub wrong: &'static str,
    /// What it answers.
    pub serve: Answer,
}

/// What a rule says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds; with what was seen, as a fragment (`12 events in 3 exchanges`).
    Pass(String),
    /// It does not hold, with at least one fault. Of many alike, the first few are enough.
    Fail(Vec<Fault>),
    /// It could not be asked here, and why (`the stream has no ids`).
    Skip(String),
    /// It was asked, and the evidence is too thin to say, and why.
    Inconclusive(String),
}

/// One place where a requirement is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number of the exchange.
    pub exchange: usize,
    /// Where in it.
    pub place: Place,
    /// What is wrong there: a sentence without capital and full stop.
    pub message: String,
    /// What it does to clients in this very case, where that says more than the rule's `why`.
    pub consequence: Option<String>,
}

/// Where a fault lies in an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the exchange as a whole: its end, its times, that it has no answer.
    Exchange,
    /// In the field of that name, or in its absence.
    Header(String),
    /// In the status line.
    StatusLine,
    /// At this offset of the body.
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

    fn in_specs(&self) -> (&'static Requirement, &'static RuleText) {
        let found = rule_texts().find(|(_, text)| text.id == self.id);
        found.unwrap_or_else(|| panic!("no requirement in specs/ has the texts of {}", self.id))
    }
}

impl Mutant {
    /// Whether it has to be spoken to in HTTP/2.
    pub fn speaks_http2(&self) -> bool {
        self.id.starts_with("h2-")
    }

    /// Whether it has to be spoken to over TLS.
    pub fn speaks_tls(&self) -> bool {
        self.id.starts_with("tls-")
    }

    /// Whether it has to stand on a host that may be anywhere.
    pub fn is_abroad(&self) -> bool {
        self.id.starts_with("abroad-")
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

    /// A fault at that place.
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

impl Verdict {
    /// Fail with these faults, or pass with the note where there are none.
    pub fn from_faults(faults: Vec<Fault>, pass: impl Into<String>) -> Self {
        if faults.is_empty() { Self::Pass(pass.into()) } else { Self::Fail(faults) }
    }
}
