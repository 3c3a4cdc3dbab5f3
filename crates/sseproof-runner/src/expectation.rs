//! Matchers with their variables filled in.

use regex::Regex;
use serde_json::Value as JsonValue;
use serde_json_path::JsonPath;
use sseproof_codec::Event;
use sseproof_files::model::{EventMatcher, Scope, Short, Value};

#[derive(Clone, Debug, Default)]
pub(super) struct Expectation {
    equals: Option<JsonValue>,
    contains: Option<String>,
    regex: Option<Regex>,
    json: Option<JsonValue>,
    path: Option<(String, JsonPath)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct EventExpectation {
    data: Option<Expectation>,
    event_type: Option<Expectation>,
    id: Option<Expectation>,
}

impl Expectation {
    /// # Errors
    /// The name of a variable that has no value.
    pub(super) fn new(value: &Value, scope: &Scope) -> Result<Self, String> {
        Ok(Self {
            equals: value.equals.as_ref().map(|json| json.fill(scope)).transpose()?,
            contains: value.contains.as_ref().map(|text| text.fill(scope)).transpose()?,
            regex: value.regex.as_ref().map(|regex| regex.fill(scope)).transpose()?,
            json: value.json.as_ref().map(|json| json.fill(scope)).transpose()?,
            path: value.path.as_ref().map(|query| (query.text.clone(), query.path.clone())),
        })
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        match &self.path {
            None => {
                let of_text = match &self.equals {
                    Some(JsonValue::Array(_) | JsonValue::Object(_) | JsonValue::Null) => {
                        parse(text).is_some_and(|json| self.equals.as_ref() == Some(&json))
                    }
                    Some(scalar) => spelled(scalar) == text,
                    None => true,
                };
                let of_json = |wanted| parse(text).is_some_and(|json| has(&json, wanted));
                of_text && self.spelled_fits(text) && self.json.as_ref().is_none_or(of_json)
            }
            Some((_, path)) => parse(text).is_some_and(|json| {
                path.query(&json).iter().any(|found| {
                    let equal = |wanted: &JsonValue| {
                        alike(wanted, found) || wanted.as_str().is_some_and(|w| spelled(found) == w)
                    };
                    self.equals.as_ref().is_none_or(equal)
                        && self.spelled_fits(&spelled(found))
                        && self.json.as_ref().is_none_or(|wanted| has(found, wanted))
                })
            }),
        }
    }

    /// Whether a header field has this value. A media type is compared without its parameters, unless
    /// the expectation has some: `text/event-stream; charset=utf-8` is a `text/event-stream`.
    pub(super) fn fits_field(&self, name: &str, value: &str) -> bool {
        let media_type = value.split(';').next().unwrap_or_default().trim_end();
        let is_expected = |wanted: &str| {
            name.eq_ignore_ascii_case("content-type") && wanted.eq_ignore_ascii_case(media_type)
        };
        self.fits(value)
            || self.equals.as_ref().and_then(JsonValue::as_str).is_some_and(|wanted| {
                // The other conditions, of which this one is true.
                is_expected(wanted) && self.fits(wanted)
            })
    }

    fn spelled_fits(&self, text: &str) -> bool {
        self.contains.as_ref().is_none_or(|wanted| text.contains(wanted))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }

    /// `data "missed"`, `data that matches /^x/`.
    pub(super) fn describe(&self, of: &str) -> String {
        let mut all = Vec::new();
        if let Some(equals) = &self.equals {
            all.push(format!("equal to {equals}"));
        }
        if let Some(contains) = &self.contains {
            all.push(format!("containing {contains:?}"));
        }
        if let Some(regex) = &self.regex {
            all.push(format!("matching /{regex}/"));
        }
        if let Some(json) = &self.json {
            all.push(format!("with at least the JSON {json}"));
        }
        let what = match &self.path {
            Some((path, _)) => format!("{path} in {of}"),
            None => of.to_owned(),
        };
        if all.is_empty() { what } else { format!("{what} {}", all.join(" and ")) }
    }
}

impl EventExpectation {
    /// # Errors
    /// The name of a variable that has no value.
    pub(super) fn new(event: &EventMatcher, scope: &Scope) -> Result<Self, String> {
        let wanted = |value: &Option<Short<Value>>| {
            value.as_ref().map(|value| Expectation::new(value, scope)).transpose()
        };
        Ok(Self {
            data: wanted(&event.data)?,
            event_type: wanted(&event.event_type)?,
            id: wanted(&event.id)?,
        })
    }

    pub(super) fn fits(&self, event: &Event<'_>) -> bool {
        let fits = |wanted: &Option<Expectation>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.fits(text))
        };
        fits(&self.data, &event.data)
            && fits(&self.event_type, &event.event_type)
            && fits(&self.id, &event.last_event_id)
    }

    /// `an event with data equal to "missed"`.
    pub(super) fn describe(&self) -> String {
        let parts: Vec<String> =
            [("data", &self.data), ("type", &self.event_type), ("id", &self.id)]
                .into_iter()
                .filter_map(|(of, wanted)| wanted.as_ref().map(|wanted| wanted.describe(of)))
                .collect();
        match parts.as_slice() {
            [] => "an event".to_owned(),
            parts => format!("an event with {}", parts.join(", ")),
        }
    }
}

fn parse(text: &str) -> Option<JsonValue> {
    serde_json::from_str(text).ok()
}

/// A string without its quotes, everything else as JSON writes it.
pub(super) fn spelled(value: &JsonValue) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the values are equal; `1` and `1.0` are the same number.
fn alike(left: &JsonValue, right: &JsonValue) -> bool {
    left == right || left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left == right)
}

/// Whether the value has everything that is wanted: objects may have more members, lists must be
/// equally long.
fn has(value: &JsonValue, wanted: &JsonValue) -> bool {
    match (value, wanted) {
        (JsonValue::Object(value), JsonValue::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| has(value, wanted))),
        (JsonValue::Array(value), JsonValue::Array(wanted)) => {
            value.len() == wanted.len()
                && value.iter().zip(wanted).all(|(value, wanted)| has(value, wanted))
        }
        _ => alike(value, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        matcher: Short<EventMatcher>,
        #[serde(default)]
        data: String,
        #[serde(default = "message", rename = "type")]
        event_type: String,
        #[serde(default)]
        id: String,
        fits: bool,
    }

    fn message() -> String {
        "message".to_owned()
    }

    #[test]
    fn events_fit_as_the_table_says() {
        let cases: Vec<Case> =
            serde_yaml::from_str(include_str!("../tests/matchers.yaml")).unwrap();
        assert!(cases.len() > 30);
        let mut scope = Scope::default();
        scope.values.insert("dot".to_owned(), "a.c".to_owned());
        for (index, case) in cases.into_iter().enumerate() {
            let wanted = EventExpectation::new(&case.matcher, &scope).unwrap();
            let event = Event {
                event_type: case.event_type.into(),
                data: case.data.clone().into(),
                last_event_id: case.id.into(),
                sets_id: true,
                span: sseproof_codec::Span::new(0, 0),
            };
            assert_eq!(
                wanted.fits(&event),
                case.fits,
                "case {}: {} against {:?}",
                index + 1,
                wanted.describe(),
                case.data
            );
        }
    }

    #[test]
    fn a_media_type_is_compared_without_parameters_unless_some_are_expected() {
        for (name, wanted, value, fits) in [
            ("content-type", "text/event-stream", "text/event-stream", true),
            ("Content-Type", "text/event-stream", "text/event-stream; charset=utf-8", true),
            ("content-type", "text/event-stream", "Text/Event-Stream ;charset=UTF-8", true),
            ("content-type", "text/event-stream", "text/event-stream-x; charset=utf-8", false),
            ("content-type", "text/event-stream; charset=utf-8", "text/event-stream", false),
            ("content-type", "text/event-stream; a=b", "text/event-stream; a=c", false),
            ("content-type", "{ equals: text/plain, contains: charset }", "text/plain", false),
            ("cache-control", "no-store", "no-store; x", false),
        ] {
            let value_wanted: Short<Value> = serde_yaml::from_str(wanted).unwrap();
            let expectation = Expectation::new(&value_wanted, &Scope::default()).unwrap();
            assert_eq!(expectation.fits_field(name, value), fits, "{wanted}: {value}");
        }
    }
}
