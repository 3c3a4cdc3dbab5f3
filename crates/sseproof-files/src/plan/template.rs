//! A text that has the number of a client in it.

use crate::model::{Form, Json, Part, Scope, Text};

/// The variable that stands for the number of a client, or of a request.
pub(super) const NUMBER: &str = "n";

/// A text of a plan, in which `${n}` is the number of a client (or of a request), from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Text(Vec<Piece>),
    Json(Json, Scope),
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(String),
    Number(Form),
}

impl Template {
    /// A text without a number.
    pub fn plain(text: impl Into<String>) -> Self {
        Self(Kind::Text(vec![Piece::Plain(text.into())]))
    }

    /// The text with all its variables filled in but the number; they were looked at before.
    pub(super) fn of(text: &Text, scope: &Scope) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for part in &text.0 {
            match part {
                Part::Variable(name, form) if name == NUMBER => pieces.push(Piece::Number(*form)),
                part => {
                    let filled = Text(vec![part.clone()]).fill(scope).unwrap_or_default();
                    match pieces.last_mut() {
                        Some(Piece::Plain(before)) => before.push_str(&filled),
                        _ => pieces.push(Piece::Plain(filled)),
                    }
                }
            }
        }
        Self(Kind::Text(pieces))
    }

    /// JSON, in whose strings variables are filled in.
    pub(super) fn of_json(json: &Json, scope: &Scope) -> Self {
        let has_number = json.texts().iter().any(|text| text.names().any(|name| name == NUMBER));
        if has_number {
            return Self(Kind::Json(json.clone(), scope.clone()));
        }
        Self::plain(json.fill(scope).unwrap_or_default().to_string())
    }

    /// The text for the client, or the request, of that number.
    pub fn fill(&self, number: u64) -> String {
        let number = number.to_string();
        match &self.0 {
            Kind::Text(pieces) => pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Plain(text) => text.as_str().into(),
                    Piece::Number(form) => form.apply(&number),
                })
                .collect(),
            Kind::Json(json, scope) => {
                let mut scope = scope.clone();
                scope.values.insert(NUMBER.to_owned(), number);
                json.fill(&scope).unwrap_or_default().to_string()
            }
        }
    }

    pub fn same(&self) -> Option<&str> {
        match &self.0 {
            Kind::Text(pieces) => match pieces.as_slice() {
                [] => Some(""),
                [Piece::Plain(text)] => Some(text),
                _ => None,
            },
            Kind::Json(..) => None,
        }
    }

    /// Its beginning, up to the first number.
    pub(super) fn start(&self) -> &str {
        match &self.0 {
            Kind::Text(pieces) => match pieces.first() {
                Some(Piece::Plain(text)) => text,
                _ => "",
            },
            Kind::Json(..) => "",
        }
    }
}
