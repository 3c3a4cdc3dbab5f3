//! Text with variables in it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::mistake::Slip;

/// The longest text that `${300*x}` may make.
const LONGEST: usize = 1 << 20;

/// A text in which `${name}` stands for a value. `$${` stands for `${` itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub Vec<Part>);

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Plain(String),
    /// `${name}`, or `${name:json}`.
    Variable(String, Form),
    /// `${env:NAME}`.
    Environment(String),
}

/// How the value of a variable is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// As a JSON string, quotes and all.
    Json,
    /// In Base64, with padding.
    Base64,
    /// Percent-encoded, except letters, digits and `-._~`.
    Percent,
}

impl Form {
    /// How the variable is written in this form.
    pub fn spelled(self, name: &str) -> String {
        match self {
            Self::Plain => format!("${{{name}}}"),
            Self::Json => format!("${{{name}:json}}"),
            Self::Base64 => format!("${{{name}:base64}}"),
            Self::Percent => format!("${{{name}:percent}}"),
        }
    }

    pub fn apply(self, value: &str) -> Cow<'_, str> {
        match self {
            Self::Plain => value.into(),
            Self::Json => serde_json::Value::from(value).to_string().into(),
            Self::Base64 => base64::prelude::BASE64_STANDARD.encode(value).into(),
            Self::Percent => value
                .bytes()
                .map(|byte| match byte {
                    b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                    byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                    byte => format!("%{byte:02X}"),
                })
                .collect::<String>()
                .into(),
        }
    }
}

/// The values of the variables at one moment of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub values: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
}

impl Text {
    pub fn parse(text: &str) -> Result<Self, Slip> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                plain.push_str(&rest[..start - 1]);
                plain.push_str("${");
                rest = &rest[start + 2..];
                continue;
            }
            plain.push_str(&rest[..start]);
            let Some((name, tail)) = rest[start + 2..].split_once('}') else {
                return Err(Slip::instead(
                    "`${` has no matching `}`",
                    "write ${name} for a variable, or $${ for the characters ${",
                ));
            };
            match part(name)? {
                Part::Plain(text) => plain.push_str(&text),
                variable => {
                    if !plain.is_empty() {
                        parts.push(Part::Plain(std::mem::take(&mut plain)));
                    }
                    parts.push(variable);
                }
            }
            rest = tail;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Plain(plain));
        }
        Ok(Self(parts))
    }

    /// The text with each variable replaced by its value in the given form.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn fill_with(
        &self,
        scope: &Scope,
        form: impl Fn(&str) -> String,
    ) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Plain(text) => out.push_str(text),
                Part::Variable(name, written) => {
                    let value = scope.values.get(name).ok_or_else(|| name.clone())?;
                    out.push_str(&form(&written.apply(value)));
                }
                Part::Environment(name) => {
                    let value = scope.environment.get(name).ok_or_else(|| format!("env:{name}"))?;
                    out.push_str(&form(value));
                }
            }
        }
        Ok(out)
    }

    pub fn fill(&self, scope: &Scope) -> Result<String, String> {
        self.fill_with(scope, str::to_owned)
    }

    /// The text with this value for each variable, to check its syntax.
    pub fn with_each_as(&self, value: &str) -> String {
        let pieces = self.0.iter().map(|part| match part {
            Part::Plain(text) => text.as_str(),
            Part::Variable(..) | Part::Environment(_) => value,
        });
        pieces.collect()
    }

    /// A path or URL without the parts of the query that have one of these variables, and without
    /// the question mark if no part is left.
    pub fn without_query(&self, absent: &BTreeSet<&str>) -> Self {
        let mut halves = self.split('?', 2).into_iter();
        let path = halves.next().unwrap_or_default();
        let Some(query) = halves.next() else { return path };
        match query.without_fields(absent) {
            Some(query) => Self([path.0, vec![Part::Plain("?".to_owned())], query.0].concat()),
            None => path,
        }
    }

    /// A form or query without the fields that have one of these variables; `None` if no other is
    /// left.
    pub fn without_fields(&self, absent: &BTreeSet<&str>) -> Option<Self> {
        let fields = self.split('&', usize::MAX).into_iter();
        let kept = fields.filter(|field| !field.names().any(|name| absent.contains(name)));
        let join = |one: Self, next: Self| {
            Self([one.0, vec![Part::Plain("&".to_owned())], next.0].concat())
        };
        kept.reduce(join)
    }

    /// The text split where this character is written, into at most so many pieces.
    fn split(&self, at: char, most: usize) -> Vec<Self> {
        let mut pieces = vec![Self::default()];
        for part in &self.0 {
            let Part::Plain(text) = part else {
                pieces.last_mut().into_iter().for_each(|last| last.0.push(part.clone()));
                continue;
            };
            for (index, piece) in text.splitn(most - pieces.len() + 1, at).enumerate() {
                if index > 0 {
                    pieces.push(Self::default());
                }
                let piece = (!piece.is_empty()).then(|| Part::Plain(piece.to_owned()));
                pieces.last_mut().into_iter().for_each(|last| last.0.extend(piece.clone()));
            }
        }
        pieces
    }

    /// The same with these variables percent-encoded, unless they are written in another form.
    #[must_use]
    pub fn percent_encoded(mut self, is_one: impl Fn(&str) -> bool) -> Self {
        for part in &mut self.0 {
            if let Part::Variable(name, form @ Form::Plain) = part
                && is_one(name)
            {
                *form = Form::Percent;
            }
        }
        self
    }

    /// The names of its variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name, _) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The name of its variable, if it has no other part.
    pub fn alone(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Variable(name, _)] => Some(name),
            _ => None,
        }
    }

    /// The text, if it has no variables.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }
}

/// Parses the text between `${` and `}`.
fn part(inside: &str) -> Result<Part, Slip> {
    const FORMS: &str = "write ${name}, ${env:NAME}, or ${300*x} for a text repeated";
    const ENCODED: &str =
        "a value can be written as ${name:json}, ${name:base64} or ${name:percent}";
    if let Some((times, text)) = inside.split_once('*') {
        let fits = |times: &usize| times.checked_mul(text.len()).is_some_and(|all| all <= LONGEST);
        return match times.trim().parse::<usize>().ok().filter(fits) {
            Some(times) => Ok(Part::Plain(text.repeat(times))),
            None => Err(Slip::instead(
                format!("`${{{inside}}}` has no valid count (the result may have 1 MiB)"),
                FORMS,
            )),
        };
    }
    let (name, form) = match inside.split_once(':') {
        None | Some(("env", _)) => (inside.strip_prefix("env:").unwrap_or(inside), Form::Plain),
        Some((name, "json")) => (name, Form::Json),
        Some((name, "base64")) => (name, Form::Base64),
        Some((name, "percent")) => (name, Form::Percent),
        Some(_) => {
            let what = format!("`${{{inside}}}` has an unknown form");
            return Err(Slip::instead(what, ENCODED));
        }
    };
    let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if name.is_empty() || !name.chars().all(fits) {
        return Err(Slip::instead(format!("`${{{inside}}}` is not a valid variable"), FORMS));
    }
    Ok(match inside.strip_prefix("env:") {
        Some(name) => Part::Environment(name.to_owned()),
        None => Part::Variable(name.to_owned(), form),
    })
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number", "boolean"],
            "description": "A text; ${name} and ${env:NAME} are replaced by their values (${name:json}, ${name:base64} and ${name:percent}: encoded), ${300*x} by a repeated text, $${ by ${ itself.",
        })
    }
}

/// Any JSON value, with variables in its strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub serde_json::Value);

impl Json {
    /// Every text in it.
    pub fn texts(&self) -> Vec<Text> {
        fn walk(value: &serde_json::Value, texts: &mut Vec<Text>) {
            match value {
                serde_json::Value::String(text) => texts.extend(Text::parse(text)),
                serde_json::Value::Array(all) => all.iter().for_each(|one| walk(one, texts)),
                serde_json::Value::Object(all) => all.values().for_each(|one| walk(one, texts)),
                _ => {}
            }
        }
        let mut texts = Vec::new();
        walk(&self.0, &mut texts);
        texts
    }

    /// The same without the members that consist of one of these variables only.
    pub fn without(mut self, absent: &BTreeSet<&str>) -> Self {
        fn prune(value: &mut serde_json::Value, absent: &BTreeSet<&str>) {
            match value {
                serde_json::Value::Array(all) => all.iter_mut().for_each(|one| prune(one, absent)),
                serde_json::Value::Object(all) => {
                    all.retain(|_, one| {
                        let text = one.as_str().and_then(|text| Text::parse(text).ok());
                        !text.is_some_and(|text| {
                            text.alone().is_some_and(|name| absent.contains(name))
                        })
                    });
                    all.values_mut().for_each(|one| prune(one, absent));
                }
                _ => {}
            }
        }
        prune(&mut self.0, absent);
        self
    }

    pub fn fill(&self, scope: &Scope) -> Result<serde_json::Value, String> {
        map(&self.0, &|text| match Text::parse(text) {
            Ok(parsed) => parsed.fill(scope),
            Err(_) => Ok(text.to_owned()),
        })
    }
}

/// The value with each string changed.
fn map<E>(
    value: &serde_json::Value,
    change: &impl Fn(&str) -> Result<String, E>,
) -> Result<serde_json::Value, E> {
    use serde_json::Value;
    Ok(match value {
        Value::String(text) => Value::String(change(text)?),
        Value::Array(all) => {
            Value::Array(all.iter().map(|one| map(one, change)).collect::<Result<_, E>>()?)
        }
        Value::Object(all) => Value::Object(
            all.iter()
                .map(|(key, one)| Ok((key.clone(), map(one, change)?)))
                .collect::<Result<_, E>>()?,
        ),
        other => other.clone(),
    })
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        map(&value, &|text| Text::parse(text).map(|_| String::new())).map_err(D::Error::custom)?;
        Ok(Self(value))
    }
}

impl JsonSchema for Json {
    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any JSON value; ${name} in its strings is replaced by a value." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in() {
        let mut scope = Scope::default();
        scope.values.insert("a".to_owned(), "1".to_owned());
        scope.values.insert("q".to_owned(), "\n\"".to_owned());
        scope.environment.insert("HOME".to_owned(), "/h".to_owned());
        for (text, filled) in [
            ("", Ok("")),
            ("plain $ {a}", Ok("plain $ {a}")),
            ("${a}${a}-${env:HOME}", Ok("11-/h")),
            ("$${a}", Ok("${a}")),
            ("${q:json} ${q:base64} ${q:percent}", Ok(r#""\n\"" CiI= %0A%22"#)),
            ("<${3*ab}>", Ok("<ababab>")),
            ("${b}", Err("b")),
            ("${env:NO}", Err("env:NO")),
        ] {
            let filled = filled.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(Text::parse(text).expect(text).fill(&scope), filled, "{text}");
        }
    }

    #[test]
    fn absent_parts_of_a_query_are_left_out() {
        for (path, without) in [
            ("/x?a&b=&c=1", "/x?a&b=&c=1"),
            ("/x?", "/x?"),
            ("/x?data=${data}&event=${event}&id=${id}", "/x?data=${data}&id=${id}"),
            ("/x?event=${event}", "/x"),
            ("/x?a?b&e=<${event}>&c", "/x?a?b&c"),
            ("/x/${event}", "/x/${event}"),
        ] {
            let parse = |text| Text::parse(text).expect(text);
            let scope =
                ["data", "event", "id"].map(|name| (name.to_owned(), format!("${{{name}}}")));
            let scope = Scope { values: scope.into_iter().collect(), ..Scope::default() };
            let found = parse(path).without_query(&BTreeSet::from(["event"]));
            assert_eq!(found.fill(&scope).as_deref(), Ok(without), "{path}");
        }
    }

    #[test]
    fn invalid_variables_are_rejected() {
        for text in
            ["${", "${}", "${a b}", "${x*3}", "${9999999999*x}", "${env:}", "${a:yaml}", "${:json}"]
        {
            assert!(Text::parse(text).is_err(), "{text}");
        }
    }
}
