//! Tables of requirements on the members of events, and their interpreter.
//!
//! A rule on single members, or on the first or last event, is a list of rows: one row for each member.

use serde_json::Value;

use super::events::{NO_EVENT, Piece, is_ended, pieces, typed};
use super::json::shown;
use super::look;
use crate::stream::quoted;
use crate::{Fault, Record, Verdict, View};

/// The subject of the rows of a rule.
pub(super) struct Scope {
    /// The name of the counted things, in the singular.
    pub(super) noun: &'static str,
    /// The reason to skip if there are none.
    pub(super) none: &'static str,
    /// The name of each one in a message; its type if this is empty.
    pub(super) name: &'static str,
    /// Those of a stream, in order.
    pub(super) of: for<'r> fn(&View<'r>) -> Vec<Piece<'r>>,
}

/// All events except `[DONE]`, which some servers send at the end and clients ignore.
pub(super) const EVENTS: Scope = Scope {
    noun: "event",
    none: NO_EVENT,
    name: "the data",
    of: |view| pieces(view).into_iter().filter(|piece| piece.data != "[DONE]").collect(),
};

/// The events with a `type`.
pub(super) const TYPED: Scope = Scope { noun: "event", none: NO_EVENT, name: "", of: typed };

pub(super) struct Row {
    /// The types of the events that it applies to; each event if there are none.
    on: &'static [&'static str],
    /// The path of the member, with dots; `*` is each element of a list, and an empty path the whole
    /// payload. After a `|` follows an alternative path.
    at: &'static str,
    must: Must,
}

/// The requirement on a member, or on the position of an event.
pub(super) enum Must {
    Count,
    Be(Kind),
    MayBe(Kind),
    /// It is there, of that kind, and the same in each event.
    Stay(Kind),
    /// It is a number, and one more than in the event before.
    CountUp,
    BeOneOf(&'static [&'static str]),
    HaveOneOf(&'static [&'static str]),
    /// An event of the row's types, or of the types `or`, is the first one except for those of the
    /// types `aside`, and it comes only once.
    ComeFirst {
        aside: &'static [&'static str],
        or: &'static [&'static str],
    },
    /// An event of the row's types ends the stream. The function decides whether a later event is
    /// allowed: its arguments are the type at the end and the type of the later event.
    ComeLast(fn(&str, &str) -> bool),
}

#[derive(Clone, Copy)]
pub(super) struct Kind(pub(super) &'static str, pub(super) fn(&Value) -> bool);

pub(super) const OBJECT: Kind = Kind("an object", Value::is_object);
pub(super) const LIST: Kind = Kind("a list", Value::is_array);
pub(super) const EMPTY: Kind =
    Kind("an empty list", |value| value.as_array().is_some_and(Vec::is_empty));
pub(super) const FILLED: Kind =
    Kind("a non-empty list", |value| value.as_array().is_some_and(|list| !list.is_empty()));
pub(super) const TEXT: Kind = Kind("a string", Value::is_string);
/// A text that is not empty.
pub(super) const NAME: Kind =
    Kind("a string", |value| value.as_str().is_some_and(|text| !text.is_empty()));
pub(super) const NUMBER: Kind = Kind("a number", Value::is_u64);

pub(super) const fn each(at: &'static str, must: Must) -> Row {
    Row { on: &[], at, must }
}

pub(super) const fn on(types: &'static [&'static str], at: &'static str, must: Must) -> Row {
    Row { on: types, at, must }
}

impl Scope {
    /// The same with another noun and reason to skip.
    pub(super) const fn counting(self, noun: &'static str, none: &'static str) -> Self {
        Self { noun, none, ..self }
    }

    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(super) fn judge(&self, record: &Record<'_>, rows: &[Row]) -> Verdict {
        self.judge_all(&record.streams().collect::<Vec<_>>(), rows)
    }

    /// The same for any exchanges.
    pub(super) fn judge_all(&self, views: &[View<'_>], rows: &[Row]) -> Verdict {
        look::each(views, self.noun, self.none, |view, tally| {
            let mut before = vec![None; rows.len()];
            for piece in (self.of)(view) {
                let Some(wrong) = self.looked(&piece, rows, &mut before) else { continue };
                tally.look();
                if let Some(wrong) = wrong {
                    tally.fault(|| Fault::at(view, piece.offset, wrong));
                }
            }
            for (row, before) in rows.iter().zip(before) {
                let is_last = matches!(row.must, Must::ComeLast(_));
                if is_last && before.is_none() && is_ended(view) && view.first_event().is_some() {
                    tally.look();
                    let message = format!("the stream ends without {}", listed(row.on));
                    tally.fault(|| Fault::at(view, view.body_len(), message));
                }
            }
        })
    }

    pub(super) fn wrong_with(&self, body: &[u8], rows: &[Row]) -> Option<String> {
        let data = &*String::from_utf8_lossy(body);
        let json = super::json::read(data).unwrap_or_default();
        let piece = Piece { offset: 0, event: "", data, json, kind: String::new() };
        self.looked(&piece, rows, &mut vec![None; rows.len()]).flatten()
    }

    /// The first fault of the event, if a row applies to it.
    fn looked(
        &self,
        piece: &Piece<'_>,
        rows: &[Row],
        before: &mut [Option<Value>],
    ) -> Option<Option<String>> {
        let looked = rows.iter().zip(before).filter_map(|(row, before)| row.looked(piece, before));
        // Every row must run, since some store values.
        let looked: Vec<_> = looked.collect();
        let is_looked_at = !looked.is_empty();
        let first = looked.into_iter().flatten().next();
        is_looked_at.then(|| first.map(|wrong| self.message(piece, wrong)))
    }

    pub(super) fn message(&self, piece: &Piece<'_>, wrong: Wrong) -> String {
        let (name, of) = match self.name {
            "" => (format!("`{}`", piece.kind), format!(" of `{}`", piece.kind)),
            name => (name.to_owned(), String::new()),
        };
        match wrong {
            Wrong::NotJson => format!("the data is not JSON: {}", quoted(piece.data.as_bytes())),
            Wrong::Missing(at) => format!("{name} has no `{at}`"),
            Wrong::Absent(at) => format!("{name} has no `{at}`, which may be null"),
            Wrong::Is(at, value, right) if at.is_empty() => {
                format!("{name} is {value}, not {right}")
            }
            Wrong::Is(at, value, right) => format!("`{at}`{of} is {value}, not {right}"),
            Wrong::Was(at, value, before) => format!("`{at}` is {value}, but was {before} before"),
            Wrong::HasNone(names) => format!("{name} has none of {}", listed(names)),
            Wrong::Place(message) => message,
        }
    }
}

pub(super) enum Wrong {
    NotJson,
    Missing(String),
    /// The member is not there, not even as null.
    Absent(String),
    Is(String, String, String),
    /// The member is this, but was that before.
    Was(String, String, String),
    /// None of these members is present.
    HasNone(&'static [&'static str]),
    /// It is in the wrong position.
    Place(String),
}

impl Row {
    /// The fault of the event, if the row applies to it.
    fn looked(&self, piece: &Piece<'_>, before: &mut Option<Value>) -> Option<Option<Wrong>> {
        match self.must {
            Must::ComeFirst { aside, or } => self.first(&piece.kind, aside, or, before),
            Must::ComeLast(may_follow) => self.last(&piece.kind, may_follow, before),
            _ if !self.on.is_empty() && !self.on.contains(&&*piece.kind) => None,
            _ => Some(self.member(piece, before)),
        }
    }

    fn first(
        &self,
        kind: &str,
        aside: &[&str],
        or: &[&str],
        before: &mut Option<Value>,
    ) -> Option<Option<Wrong>> {
        if aside.contains(&kind) {
            return None;
        }
        let is_it = self.on.contains(&kind);
        if before.replace(Value::Null).is_none() {
            let is_right = is_it || or.contains(&kind);
            let wrong = || Wrong::Place(format!("the first event is `{kind}`"));
            return Some((!is_right).then(wrong));
        }
        is_it.then(|| Some(Wrong::Place(format!("`{kind}` is sent after the first event"))))
    }

    fn last(
        &self,
        kind: &str,
        may_follow: fn(&str, &str) -> bool,
        before: &mut Option<Value>,
    ) -> Option<Option<Wrong>> {
        match before.as_ref().and_then(Value::as_str) {
            None => self.on.contains(&kind).then(|| {
                *before = Some(kind.into());
                None
            }),
            Some(end) if may_follow(end, kind) => None,
            Some(end) => Some(Some(Wrong::Place(format!("`{kind}` comes after `{end}`")))),
        }
    }

    /// The fault of the member; `None` if one of its paths is right.
    fn member(&self, piece: &Piece<'_>, before: &mut Option<Value>) -> Option<Wrong> {
        let is_counted = matches!(self.must, Must::Count);
        if self.at.is_empty() && !is_counted && is_not_json(piece) {
            return Some(Wrong::NotJson);
        }
        let mut paths = self.at.split('|');
        let first = paths.next().and_then(|at| self.at(at, piece, before))?;
        if paths.any(|at| self.at(at, piece, before).is_none()) { None } else { Some(first) }
    }

    fn at(&self, at: &str, piece: &Piece<'_>, before: &mut Option<Value>) -> Option<Wrong> {
        let found = found(&piece.json, at);
        found.into_iter().find_map(|(at, value)| self.must.broken_by(&at, value, before))
    }
}

impl Must {
    fn broken_by(&self, at: &str, value: &Value, before: &mut Option<Value>) -> Option<Wrong> {
        let is = |right: &str| Wrong::Is(at.to_owned(), shown(value), right.to_owned());
        match self {
            Self::Count => None,
            Self::MayBe(_) if value.is_null() => None,
            Self::HaveOneOf(names) => {
                let has_one = names.iter().any(|name| value.get(name).is_some());
                (!has_one).then_some(Wrong::HasNone(names))
            }
            _ if value.is_null() && !at.is_empty() => Some(Wrong::Missing(at.to_owned())),
            Self::BeOneOf(right) => {
                let is_one = right.iter().any(|right| value == right);
                (!is_one).then(|| is(&listed(right)))
            }
            Self::Be(kind) | Self::MayBe(kind) | Self::Stay(kind) if !(kind.1)(value) => {
                Some(is(kind.0))
            }
            Self::Stay(_) => {
                let first = before.get_or_insert_with(|| value.clone());
                (first != value).then(|| Wrong::Was(at.to_owned(), shown(value), shown(first)))
            }
            Self::CountUp => {
                let Some(number) = value.as_u64() else { return Some(is(NUMBER.0)) };
                let last = before.replace(value.clone()).and_then(|last| last.as_u64())?;
                let wrong = || Wrong::Was(at.to_owned(), number.to_string(), last.to_string());
                (Some(number) != last.checked_add(1)).then(wrong)
            }
            Self::Be(_) | Self::MayBe(_) | Self::ComeFirst { .. } | Self::ComeLast(_) => None,
        }
    }
}

fn is_not_json(piece: &Piece<'_>) -> bool {
    piece.json.is_null() && super::json::read(piece.data).is_none_or(|whole| whole.is_null())
}

/// The members at that path, each with its exact path; null for a missing one.
pub(super) fn found<'v>(json: &'v Value, at: &str) -> Vec<(String, &'v Value)> {
    let mut found = vec![(String::new(), json)];
    for name in at.split('.').filter(|name| !name.is_empty()) {
        let step = |(at, value): (String, &'v Value)| match (name, value.as_array()) {
            ("*", list) => {
                let list = list.into_iter().flatten().enumerate();
                list.map(|(index, value)| (format!("{at}[{index}]"), value)).collect()
            }
            _ if at.is_empty() => vec![(name.to_owned(), &value[name])],
            _ => vec![(format!("{at}.{name}"), &value[name])],
        };
        found = found.into_iter().flat_map(step).collect::<Vec<_>>();
    }
    found
}

/// `` `a`, `b` or `c` ``.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
