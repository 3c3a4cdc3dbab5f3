//! Matchers of values, events, reconnection times and ends.

use std::borrow::Cow;
use std::time::Duration;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json_path::JsonPath;

use super::{Json, Pause, Scope, Short, Shorthand, Text};
use crate::mistake::Slip;

/// Conditions on a text. All given ones must hold; without any, every text matches.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Matcher")]
pub struct Value {
    /// The text itself; with `path`, the JSON value itself.
    pub equals: Option<Json>,
    /// A text that it contains.
    pub contains: Option<Text>,
    /// A regular expression that matches somewhere in it. The values of variables are taken
    /// literally.
    pub regex: Option<Pattern>,
    /// JSON that it must include: objects may have more members, lists must be equal.
    pub json: Option<Json>,
    /// A JSON path (RFC 9535), as in `$.user.name`: the other conditions must hold for at least one
    /// of the values that it selects.
    pub path: Option<Query>,
}

impl Shorthand for Value {
    const EXPECTED: &'static str = "a text or a condition on it";
    const WRITTEN: &'static str = "the text itself, or one of { equals: … }, { contains: … }, \
                                   { regex: … }, { json: … }, { path: $.…, equals: … }";

    fn short(text: &str) -> Result<Self, Slip> {
        Text::parse(text)?;
        Ok(Self { equals: Some(Json(text.into())), ..Self::default() })
    }
}

/// Conditions on an event. All given ones must hold.
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
    const WRITTEN: &'static str = "its data, or { data: …, type: …, id: … }; {} matches any event";

    fn short(text: &str) -> Result<Self, Slip> {
        Ok(Self { data: Some(Short(Value::short(text)?)), ..Self::default() })
    }
}

/// Conditions on an announced reconnection time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetryMatcher {
    /// The shortest accepted time.
    pub at_least: Option<Pause>,
    /// The longest accepted time.
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
    /// In any way, by the server.
    Any,
    /// The response is complete by its framing.
    Complete,
    /// The connection is closed before the response is complete.
    Truncated,
    /// The connection is reset.
    Reset,
}

/// A regular expression.
#[derive(Clone, Debug)]
pub struct Pattern(pub Text);

impl Pattern {
    /// The expression; values of variables are taken literally.
    ///
    /// # Errors
    /// The name of a variable without a value, or the fault of the expression.
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
                format!("`{text}` is not a valid regular expression: {}", reason(&error)),
                "in YAML, put it in single quotes: '^\\d+$'; https://docs.rs/regex has the syntax",
            ))),
        }
    }
}

/// The last line of the message: the others repeat the pattern.
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
                    Some(rest) => format!("`{text}` is not a valid JSON path: error at `{rest}`"),
                    None => format!("`{text}` is not a valid JSON path"),
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
