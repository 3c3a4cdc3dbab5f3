//! Scenarios: YAML files that say what to do to a target, and what to expect of it.
//!
//! [`Scenario::parse`] reads a file and answers every mistake in it with its place and with what
//! to write instead; [`run_all`] plays scenarios against a target and hands back the
//! exchanges that the standing rules judge, and the expectations that did not hold.

mod check;
mod mistake;
mod model;
mod nearest;
mod plan;
mod probes;
mod profiles;
mod run;
mod target;
mod variables;
mod yaml;

pub use mistake::{Mistake, Mistakes};
pub use model::Scenario;
pub use plan::{Body, PlanFile, ReadyPlan, Template, plans};
pub use probes::{Probe, needed, patient_probe, probes};
pub use profiles::{profile_aliases, profile_ids, profile_probes};
pub use run::{
    Cancel, FailureKind, OnProgress, Outcome, Progressed, Results, StepFailure, Stopped,
    TargetConfig, run, run_all, run_patiently,
};
pub use target::{
    GaugeHook, NamedFile, PublishHook, Readiness, RequestHook, RestartHook, Restarting, Server,
    ServerHandle, Signal, StartHook, StopHook, TargetFile,
};
pub use variables::Variables;
pub use yaml::{plan_schema, schema, target_schema};
