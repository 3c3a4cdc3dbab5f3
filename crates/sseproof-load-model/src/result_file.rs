//! The file of a result, in JSON.

use serde::{Deserialize, Serialize};

use crate::Outcome;

const FORMAT: &str = "sseproof load 1";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultFile {
    format: String,
    pub tool: String,
    pub outcomes: Vec<Outcome>,
}

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    #[error("not a result of `sseproof load --json`")]
    Json(#[from] serde_json::Error),
    #[error("its format is `{0}`; this version reads `{FORMAT}`")]
    Format(String),
}

impl ResultFile {
    pub fn new(tool: String, outcomes: Vec<Outcome>) -> Self {
        Self { format: FORMAT.to_owned(), tool, outcomes }
    }

    /// Reads a file of this program or of another.
    ///
    /// # Errors
    /// [`ResultError`]; that of JSON has line and column.
    pub fn parse(text: &str) -> Result<Self, ResultError> {
        let file: Self = serde_json::from_str(text)?;
        if file.format == FORMAT { Ok(file) } else { Err(ResultError::Format(file.format)) }
    }

    /// # Errors
    /// Never in practice: all of it has a form in JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}
