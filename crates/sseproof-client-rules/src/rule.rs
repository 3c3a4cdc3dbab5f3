//! Rules on clients, and the wrong clients that they must find.

use sseproof_rules::{Requirement, RuleText, rule_text};

use crate::{Hooks, Kind, View};

/// The code that judges one requirement over the records of its cases.
pub struct Rule {
    /// As in `client/retry-heeded`.
    pub id: &'static str,
    /// The ids of its cases; each is judged, and one fault is enough.
    pub cases: &'static [&'static str],
    pub judge: fn(&View<'_>) -> Judgement,
    /// Clients that are wrong on purpose: each must fail this rule.
    pub mutants: &'static [Mutant],
}

/// A client that is wrong on purpose.
pub struct Mutant {
    /// Its name, unique among clients, as in `ignores-retry`.
    pub id: &'static str,
    /// The fault it has: a sentence without capital and full stop, with the client as its subject.
    pub wrong: &'static str,
    /// Its decisions.
    pub hooks: Hooks,
    pub kind: Kind,
}

/// The verdict on one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It holds; with what was seen, as a fragment.
    Held(String),
    /// It does not, with at least one fault.
    Broken(Vec<Fault>),
    /// The evidence does not suffice, for this reason.
    Unclear(String),
    /// It could not be asked here, and why.
    Skipped(String),
}

/// One thing that the client did wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The index of the entry that shows it; the end of the case if something is missing.
    pub entry: Option<usize>,
    /// The field of the request in which it lies.
    pub header: Option<String>,
    /// A sentence without capital and full stop.
    pub message: String,
    /// The consequence in this case, if it is more specific than the rule's `why`.
    pub consequence: Option<String>,
}

impl Rule {
    /// The requirement that it judges, and its texts.
    ///
    /// # Panics
    ///
    /// If `specs/` has no texts for the rule; a test reads them all.
    pub fn texts(&self) -> (&'static Requirement, &'static RuleText) {
        rule_text(self.id)
            .unwrap_or_else(|| panic!("no requirement in specs/ has the texts of {}", self.id))
    }
}

impl Mutant {
    pub const fn new(id: &'static str, wrong: &'static str, hooks: Hooks) -> Self {
        Self { id, wrong, hooks, kind: Kind::Eventsource }
    }

    /// The same, of a client with a policy of its own.
    pub const fn resilient(self) -> Self {
        Self { kind: Kind::Resilient, ..self }
    }

    /// The same, of a client that reads one response.
    pub const fn reading(self) -> Self {
        Self { kind: Kind::Reader, ..self }
    }
}

impl Fault {
    /// A fault of the entry with this index.
    pub fn at(entry: usize, message: impl Into<String>) -> Self {
        Self { entry: Some(entry), ..Self::missing(message) }
    }

    /// Something that did not happen until the end of the case.
    pub fn missing(message: impl Into<String>) -> Self {
        Self { entry: None, header: None, message: message.into(), consequence: None }
    }

    /// The same, in this field of the request.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        self.header = Some(name.to_owned());
        self
    }
}

impl From<Fault> for Judgement {
    fn from(fault: Fault) -> Self {
        Self::Broken(vec![fault])
    }
}

impl Judgement {
    pub fn held(note: impl Into<String>) -> Self {
        Self::Held(note.into())
    }

    /// Nothing can be said of a reconnection that did not come; other rules judge that.
    pub fn not_reconnected() -> Self {
        Self::Unclear("the client did not reconnect".to_owned())
    }

    /// Broken with these faults, or held with the note if there are none.
    pub fn of(faults: Vec<Fault>, note: impl Into<String>) -> Self {
        if faults.is_empty() { Self::held(note) } else { Self::Broken(faults) }
    }

    /// The judgement of all these: held only if each of them is.
    pub fn all(judgements: impl IntoIterator<Item = Self>, note: impl Into<String>) -> Self {
        let mut broken = Vec::new();
        let (mut other, mut any_held) = (None, false);
        for judgement in judgements {
            match judgement {
                Self::Broken(faults) => broken.extend(faults),
                Self::Held(_) => any_held = true,
                Self::Unclear(_) => other = Some(judgement),
                Self::Skipped(_) => drop(other.get_or_insert(judgement)),
            }
        }
        match other {
            _ if !broken.is_empty() => Self::Broken(broken),
            Some(Self::Skipped(_)) if any_held => Self::held(note),
            Some(other) => other,
            None => Self::held(note),
        }
    }
}
