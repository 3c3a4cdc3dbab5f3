//! What is expected of a value, of an event, of a reconnection time, of an end.

use std::borrow::Cow;
use std::time::Duration;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json_path::JsonPath;

use super::{Json, Pause, Scope, Short, Shorthand, Text};
use crate::mistake::Slip;

/// What a text must be. All that is said must hold; nothing said accepts every text.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Matcher")]
pub struct Value {
    /// The text itself; with `path`, the JSON value itself.
    pub equals: Option<Json>,
    /// A text that stands somewhere in it.
    pub contains: Option<Text>,
    /// A regular expression that matches somewhere in it. Variables in it stand for themselves.
    pub regex: Option<Pattern>,
    /// JSON that it has at least: objects may have more members, lists must be alike.
    pub json: Option<Json>,
    /// A JSON path (RFC 9535), as in `$.user.name`: what is said besides is said of what it
    /// selects, of at least one of the values.
    pub path: Option<Query>,
}

impl Shorthand for Value {
    const EXPECTED: &'static str = "a text, or what it must be like,";
    const WRITTEN: &'static str = "the text itself, or one of { equals: … }, { contains: … }, \
                                   { regex: … }, { json: … }, { path: $.…, equals: … }";

    fn short(text: &str) -> Result<Self, Slip> {
        Text::parse(text)?;
        Ok(Self { equals: Some(Json(text.into())), ..Self::default() })
    }
}

/// What an event must be. All that is said must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventMatcher {
    /// The data, its lines joined by LF.
    pub data: Option<Short<Value>>,
    /// The event type; an event without an `event` field has the type `message`.
    #[serde(rename = "type")]
    pub event_type: Option<Short<Value>>,
    /// The last event ID at the time of the event.
    pub id: Option<Short<Value>>,
}

impl Shorthand for EventMatcher {
    const EXPECTED: &'static str = "an event";
    const WRITTEN: &'static str =
        "its data, or { data: …, type: …, id: … } with what must hold; {} accepts any event";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { data: Some(Short(Value::short(text)?)), ..Self::default() })
    }
}

/// What an announced reconnection time must be.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetryMatcher {
    /// The shortest time that will do.
    pub at_least: Option<Pause>,
    /// The longest time that will do.
    pub at_most: Option<Pause>,
}

impl Shorthand for RetryMatcher {
    const EXPECTED: &'static str = "a reconnection time";
    const WRITTEN: &'static str = "a duration such as 3s, or { at-least: 1s, at-most: 30s }";

    fn short(text: &str) -> Result<Self, Slip> {
        let pause = Some(Pause::parse(text)?);
        Ok(Self { at_least: pause, at_most: pause })
    }
}

impl RetryMatcher {
    pub fn fits(&self, time: Duration) -> bool {
        self.at_least.is_none_or(|least| time >= least.0)
            && self.at_most.is_none_or(|most| time <= most.0)
    }
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EndKind {
    /// In any of these ways.
    Any,
    /// The response is whole by its own framing.
    Complete,
    /// The connection is closed before the response is whole.
    Truncated,
    /// The connection is reset.
    Reset,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Text);

impl Pattern {
    /// The expression, with variables standing for themselves.
    ///
    /// # Errors
    /// What to say of a variable without a value.
    pub fn fill(&self, scope: &Scope) -> Result<Regex, String> {
        let pattern = self.0.fill_with(scope, regex::escape)?;
        Regex::new(&pattern).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = Text::parse(&text).map_err(D::Error::custom)?;
        let sample: String = parsed
            .0
            .iter()
            .map(|part| if let super::Part::Plain(text) = part { text } else { "x" })
            .collect();
        match Regex::new(&sample) {
            Ok(_) => Ok(Self(parsed)),
            Err(error) => Err(D::Error::custom(Slip::instead(
                format!("`{text}` is no regular expression: {}", reason(&error)),
                "in YAML, put it in single quotes: '^\\d+$'; https://docs.rs/regex has the syntax",
            ))),
        }
    }
}

/// The last line of the message: the others draw the pattern once more.
fn reason(error: &regex::Error) -> String {
    let all = error.to_string();
    let last = all.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// A JSON path.
#[derive(Clone, Debug)]
pub struct Query {
    pub text: String,
    pub path: JsonPath,
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match JsonPath::parse(&text) {
            Ok(path) => Ok(Self { text, path }),
            Err(error) => Err(D::Error::custom(Slip::instead(
                match text.get(error.position()..).filter(|rest| !rest.is_empty() && *rest != text)
                {
                    Some(rest) => format!("`{text}` is no JSON path: it goes wrong at `{rest}`"),
                    None => format!("`{text}` is no JSON path"),
                },
                if text.starts_with('$') {
                    "RFC 9535 has the syntax: $.user.name, $.choices[0].text, $['with space']"
                        .to_owned()
                } else {
                    format!("a path begins at the root, `$`: $.{}", text.trim_start_matches('.'))
                },
            ))),
        }
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Regex".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A regular expression." })
    }
}

impl JsonSchema for Query {
    fn schema_name() -> Cow<'static, str> {
        "JsonPath".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A JSON path (RFC 9535), as in $.user.name.",
            "pattern": r"^\$",
        })
    }
}
