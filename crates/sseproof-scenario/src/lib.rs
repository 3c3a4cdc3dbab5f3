//! Scenarios: YAML files that say what to do to a target, and what to expect of it.
//!
//! [`Scenario::parse`] reads a file and answers every mistake in it with its place and with what
//! to write instead; [`run`](run::run) plays scenarios against a target and hands back the
//! exchanges that the standing rules judge, and the expectations that did not hold.

#![expect(dead_code, unused_imports, reason = "the runner comes next")]

mod check;
mod mistake;
mod model;
mod nearest;
mod probes;
pub mod run;
mod variables;
mod yaml;

pub use mistake::{Mistake, Mistakes};
pub use model::Scenario;
pub use probes::{Probe, probes};
pub use variables::Variables;
pub use yaml::schema;
