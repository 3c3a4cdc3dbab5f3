//! Values from the command line and the environment.

use std::collections::BTreeMap;

use crate::model::{Scope, Text};

/// Values that a file can use without defining them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// From the command line: `${name}`. They replace the file's own `vars`.
    pub given: BTreeMap<String, String>,
    /// The environment: `${env:NAME}`.
    pub environment: BTreeMap<String, String>,
}

impl Variables {
    /// Values of the command line, with the environment of this process.
    pub fn with_environment(given: BTreeMap<String, String>) -> Self {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
            .collect();
        Self { given, environment }
    }

    /// The text with its variables replaced.
    ///
    /// # Errors
    /// The name of a variable that has no value, or the fault of the text.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let scope = Scope { values: self.given.clone(), environment: self.environment.clone() };
        Text::parse(text).map_err(|slip| slip.what)?.fill(&scope)
    }
}
