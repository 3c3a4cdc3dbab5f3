//! Calls of tools that the request requires.

use serde_json::Value;

/// A required call: of any tool, or of the named one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Required<'a>(Option<&'a str>);

impl<'a> Required<'a> {
    /// By the `tool_choice` of a request to a model.
    pub(super) fn by(choice: &'a Value) -> Option<Self> {
        let nested = ["function", "custom", "allowed_tools"].map(|name| &choice[name]);
        let own = |name: &str| {
            let mut places = nested.into_iter().chain([choice]);
            places.find_map(|place| place[name].as_str())
        };
        let kind = choice.as_str().or_else(|| choice["type"].as_str())?;
        match kind {
            "auto" | "none" => None,
            "allowed_tools" => (own("mode") == Some("required")).then_some(Self(None)),
            _ => Some(Self(own("name"))),
        }
    }

    pub(super) fn is_named(self) -> bool {
        self.0.is_some()
    }

    /// The fault of an answer that calls these tools.
    pub(super) fn broken_by(self, called: &[&str]) -> Option<String> {
        match (self.0, called) {
            (_, []) => Some("the request requires a tool call, but the answer has none".to_owned()),
            (Some(name), called) if !called.contains(&name) => Some(format!(
                "the request requires a call of `{name}`, but the answer calls `{}`",
                called.join("`, `")
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_protocol_writes_its_choice_in_another_way() {
        let any = Some(Required(None));
        let named = Some(Required(Some("f")));
        for (choice, required) in [
            (json!("required"), any),
            (json!("auto"), None),
            (json!("none"), None),
            (Value::Null, None),
            (json!({ "type": "any" }), any),
            (json!({ "type": "auto" }), None),
            (json!({ "type": "tool", "name": "f" }), named),
            (json!({ "type": "function", "name": "f" }), named),
            (json!({ "type": "function", "function": { "name": "f" } }), named),
            (json!({ "type": "custom", "custom": { "name": "f" } }), named),
            (json!({ "type": "file_search" }), any),
            (json!({ "type": "allowed_tools", "mode": "required" }), any),
            (json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto" } }), None),
        ] {
            assert_eq!(Required::by(&choice), required, "{choice}");
        }
    }
}
