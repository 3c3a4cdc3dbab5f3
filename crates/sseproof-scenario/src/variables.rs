//! What a run is given from outside.

use std::collections::BTreeMap;

/// The values that a file can use without saying them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// From the command line: `${name}`. They win over the file's own `vars`.
    pub given: BTreeMap<String, String>,
    /// The environment: `${env:NAME}`.
    pub environment: BTreeMap<String, String>,
}

impl Variables {
    /// Those of the command line, with the environment of this process.
    pub fn with_environment(given: BTreeMap<String, String>) -> Self {
        let text = |value: std::ffi::OsString| value.into_string().ok();
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
            .collect();
        Self { given, environment }
    }
}
