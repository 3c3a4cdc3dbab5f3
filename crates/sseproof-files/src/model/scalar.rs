//! The scalars of the language: durations, names, methods, numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use sseproof_record::{Role, UnknownRole};
use sseproof_units::{names, nearest, parse_duration};

use super::Text;
use crate::mistake::Slip;

/// A time with its unit: `5s`, `200ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause(pub Duration);

impl Pause {
    pub fn parse(text: &str) -> Result<Self, Slip> {
        Ok(Self(parse_duration(text)?))
    }
}

impl<'de> Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The name of a connection or of a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub String);

impl Name {
    pub fn parse(text: &str) -> Result<Self, Slip> {
        let fits = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
        if !text.is_empty() && text.chars().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        Err(Slip::instead(
            format!("`{text}` is not a valid name"),
            "a name consists of letters (a to z), digits, `-` and `_`, as in `first`",
        ))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// An HTTP method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(pub String);

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
            return Ok(Self(text));
        }
        let instead = match text.to_ascii_uppercase() {
            upper if upper.bytes().all(|byte| byte.is_ascii_uppercase()) && !upper.is_empty() => {
                format!("methods are in upper case: {upper}")
            }
            _ => "a method is one word in upper case, as in GET or POST".to_owned(),
        };
        Err(D::Error::custom(Slip::instead(
            format!("`{text}` is not a valid HTTP method"),
            instead,
        )))
    }
}

/// The role of a connection in rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleName(pub Role);

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|unknown: UnknownRole| {
            let roles: Vec<String> = Role::all().map(|(_, name)| name).collect();
            let roles = || roles.iter().map(String::as_str);
            let instead = match nearest(&text, roles()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the roles are {}", names(roles())),
            };
            D::Error::custom(Slip::instead(unknown.to_string(), instead))
        })
    }
}

impl JsonSchema for RoleName {
    fn schema_name() -> Cow<'static, str> {
        "Role".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<String> = Role::all().map(|(_, name)| name).collect();
        json_schema!({
            "type": "string",
            "description": "The role of a connection in rules that compare several.",
            "enum": names,
        })
    }
}

/// A number of things, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse::<u32>() {
            Ok(0) => Err(D::Error::custom(Slip::instead(
                "the number must be at least 1",
                "to require that nothing comes, use `none-within` in an `expect`",
            ))),
            Ok(count) => Ok(Self(count as usize)),
            Err(_) => Err(D::Error::custom(Slip::instead(
                format!("`{text}` is not a whole number"),
                "write a number such as 3",
            ))),
        }
    }
}

/// A list of accepted status codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(pub Vec<u16>);

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany).map(Self)
    }
}

impl Statuses {
    /// `401 or 403`.
    pub fn describe(&self) -> String {
        let codes: Vec<String> = self.0.iter().map(u16::to_string).collect();
        codes.join(" or ")
    }
}

struct OneOrMany;

fn status<E: Error>(text: &str) -> Result<u16, E> {
    text.parse().ok().filter(|code| (100..=599).contains(code)).ok_or_else(|| {
        E::custom(Slip::instead(
            format!("`{text}` is not a valid status code"),
            "write one such as 200, or several: [200, 204]",
        ))
    })
}

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Vec<u16>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status code or a list of them")
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<Vec<u16>, E> {
        self.visit_str(&code.to_string())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<u16>, E> {
        status(text).map(|code| vec![code])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut codes: A) -> Result<Vec<u16>, A::Error> {
        let mut all = Vec::new();
        while let Some(code) = codes.next_element::<String>()? {
            all.push(status(&code)?);
        }
        Ok(all)
    }
}

/// Header fields to send; null removes a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub BTreeMap<String, Option<Text>>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, Option<Text>>::deserialize(deserializer)?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match fields.keys().find(|name| name.is_empty() || !name.bytes().all(fits)) {
            Some(name) => Err(D::Error::custom(Slip::instead(
                format!("`{name}` is not a valid name of a header field"),
                "write a name such as `Authorization`, without colon and white space",
            ))),
            None => Ok(Self(fields)),
        }
    }
}

/// Declares a named type of the schema.
macro_rules! schema {
    ($type:ty, $name:literal, $generator:ident => $schema:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }
            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema!(Pause, "Duration", _generator => json_schema!({
    "type": "string",
    "description": "A duration with its unit: 200ms, 5s, 2m, 1h.",
    "pattern": r"^\s*([0-9]*\.?[0-9]+\s*(ns|us|µs|ms|s|m|min|h)|0)\s*$",
}));
schema!(Name, "Name", _generator => json_schema!({
    "type": "string",
    "description": "A name: letters, digits, `-` and `_`.",
    "pattern": "^[A-Za-z0-9_-]+$",
}));
schema!(Method, "Method", _generator => json_schema!({
    "type": "string",
    "description": "An HTTP method, in upper case.",
    "pattern": "^[A-Z-]+$",
}));
schema!(Count, "Count", _generator => json_schema!({ "type": "integer", "minimum": 1 }));
schema!(Statuses, "Statuses", _generator => json_schema!({
    "anyOf": [
        { "type": "integer", "minimum": 100, "maximum": 599 },
        { "type": "array", "items": { "type": "integer", "minimum": 100, "maximum": 599 } },
    ],
}));
schema!(Headers, "Headers", generator => {
    let value = generator.subschema_for::<Option<Text>>();
    json_schema!({
        "type": "object",
        "description": "Header fields to send; null leaves out one that would be sent otherwise.",
        "additionalProperties": value,
    })
});
