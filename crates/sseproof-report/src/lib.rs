//! Results as text for a terminal, JSON, JUnit, Markdown, and what CI systems read.
//!
//! Every report is a pure function over one [`Report`]: `terminal::render`, `json::render`,
//! `junit::render`, `markdown::render`; [`ci`] has those that show failures in files.
//! [`Report::outcome`] alone decides the outcome of a run.

pub mod ci;
pub mod command;
mod curl;
pub mod dump;
#[cfg(test)]
mod examples;
mod explain;
pub mod json;
mod judged;
pub mod junit;
mod lists;
pub mod load;
pub mod markdown;
mod paint;
mod place;
mod progress;
mod report;
pub mod summary;
mod table;
pub mod terminal;
mod text;
pub mod wire_log;

pub use explain::{Examples, Explained, explain};
pub use judged::{Judged, by_note, family};
pub use lists::{
    list_client_mutants, list_client_rules, list_mutants, list_plans, list_probes, list_profiles,
    list_requirements, list_rules,
};
pub use progress::{Progress, progress};
pub use report::{
    Counts, KnownResult, Measures, Outcome, Report, ScenarioFailure, ScenarioResult, ShownLine,
    Spread, Standing, Subject,
};
