//! The members that the types of the official client libraries require, and their interpreter.
//!
//! A table has two rules: one on the members without which the library throws an exception or loses
//! content, and one on all others that its types require.

use serde_json::Value;

use super::events::Piece;
use super::look;
use super::table::{Kind, LIST, NUMBER, OBJECT, Scope, TEXT, Wrong, found};
use crate::{Fault, Record, Verdict};

/// The types of the values at some places of events.
pub(super) struct Types {
    /// The types of the events, apart by spaces; any if this is empty.
    pub(super) on: &'static str,
    /// The paths of the values, as in a row of a table; the event itself if a path is empty.
    pub(super) at: &'static [&'static str],
    /// The members by type: by the member `type` of a value, by the kind of an event. An empty name
    /// is any value, and a name that ends with `*` all that begin so; several are apart by spaces.
    ///
    /// The members are apart by spaces, too, each a name and the kind of its value: `index:number`.
    /// Without a kind it is a string, and `null` means that the member must be present. A `!` marks
    /// one without which the library throws an exception or loses content.
    pub(super) of: &'static [(&'static str, &'static str)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Those without which the library throws an exception or loses content.
    Needed,
    /// All others that the types require.
    Typed,
}

const PRESENT: Kind = Kind("a value", |_| true);

/// A member of a type, as the table has it.
struct Member<'t> {
    name: &'t str,
    kind: Kind,
    may_be_null: bool,
    needed: bool,
}

impl<'t> Member<'t> {
    fn of(text: &'t str) -> Self {
        let bare = text.trim_end_matches('!');
        let (name, kind) = bare.split_once(':').unwrap_or((bare, ""));
        let kind = match kind {
            "number" => NUMBER,
            "object" => OBJECT,
            "list" => LIST,
            "any" | "null" => PRESENT,
            _ => TEXT,
        };
        Self { name, kind, may_be_null: bare.ends_with(":null"), needed: bare != text }
    }

    /// The fault of the member in this value.
    fn wrong(&self, piece: &Piece<'_>, at: &str, value: &Value, types: &[Types]) -> Option<Wrong> {
        let path = if at.is_empty() { self.name.to_owned() } else { format!("{at}.{}", self.name) };
        match value.get(self.name) {
            None if self.may_be_null => Some(Wrong::Absent(path)),
            None | Some(Value::Null) if !self.may_be_null => {
                Some(match self.is_bare(value, types) {
                    true => Wrong::Place(format!(
                        "`{}` has the members of `{path}` in the data itself, not under `{path}`",
                        piece.kind
                    )),
                    false => Wrong::Missing(path),
                })
            }
            Some(found) if !self.may_be_null && !(self.kind.1)(found) => {
                Some(Wrong::Is(path, super::json::shown(found), self.kind.0.to_owned()))
            }
            _ => None,
        }
    }

    /// Whether the value has at least two of the members that should be in this one.
    fn is_bare(&self, value: &Value, types: &[Types]) -> bool {
        let own = types.iter().filter(|types| types.at.contains(&self.name));
        let members = own.flat_map(|types| types.of).filter(|(of, _)| of.is_empty());
        let names = members.flat_map(|(_, members)| members.split(' ')).map(Member::of);
        names.filter(|member| member.name != "type" && value.get(member.name).is_some()).count() > 1
    }
}

impl Types {
    /// The values in this event that have one of the types: path, value and members.
    fn values<'v>(&self, piece: &'v Piece<'_>) -> Vec<(String, &'v Value, &'static str)> {
        if !fits(self.on, &piece.kind) {
            return Vec::new();
        }
        let mut values = Vec::new();
        for at in self.at {
            for (path, value) in found(&piece.json, at) {
                let kind = match path.is_empty() {
                    true => Some(piece.kind.as_str()),
                    false => value["type"].as_str(),
                };
                let own = self.of.iter().filter(|(of, _)| fits(of, kind.unwrap_or_default()));
                let own = own.filter(|_| value.is_object());
                values.extend(own.map(|(_, members)| (path.clone(), value, *members)));
            }
        }
        values
    }
}

/// Whether the list of names has this kind; an empty list has any.
fn fits(names: &str, kind: &str) -> bool {
    let is_it = |name: &str| match name.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => name == kind,
    };
    names.is_empty() || names.split(' ').any(is_it)
}

impl Scope {
    pub(super) fn judge_types(
        &self,
        record: &Record<'_>,
        types: &[Types],
        members: Members,
    ) -> Verdict {
        let is_needed = members == Members::Needed;
        look::each_stream(record, self.noun, self.none, |view, tally| {
            for piece in (self.of)(view) {
                let mut wrong = None;
                let mut is_looked_at = false;
                for (path, value, own) in types.iter().flat_map(|types| types.values(&piece)) {
                    let own = own.split(' ').map(Member::of);
                    for member in own.filter(|member| member.needed == is_needed) {
                        is_looked_at = true;
                        wrong = wrong.or_else(|| member.wrong(&piece, &path, value, types));
                    }
                }
                if is_looked_at {
                    tally.look();
                }
                if let Some(wrong) = wrong {
                    let message = self.message(&piece, wrong);
                    tally.fault(|| Fault::at(view, piece.offset, message));
                }
            }
        })
    }
}
