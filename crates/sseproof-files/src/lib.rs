//! The file languages: scenarios and probes, targets, load plans, and lists of known failures, in YAML.
//!
//! [`Scenario::parse`], [`Target::parse`], [`PlanFile::parse`] and [`KnownFailure::parse`] report every mistake in a
//! file with its position and with what to write instead. Nothing here opens a socket or starts a
//! process: the runner acts on these values.

mod check;
mod erased;
mod excerpt;
mod kind;
mod known;
mod mistake;
pub mod model;
mod plan;
mod probes;
pub mod request;
mod target;
mod variables;
mod yaml;

pub use check::MARK;
pub use excerpt::excerpt;
pub use kind::FileKind;
pub use known::KnownFailure;
pub use mistake::{Mistake, Mistakes, Place};
pub use model::Scenario;
pub use plan::{Body, PlanFile, PlanOverlay, ReadyPlan, Template, plans};
pub use probes::{Probe, needed, probes, profile_ids, profile_probes};
pub use target::{
    ConnectionKeys, GaugeHook, HookCall, NamedFile, Overlay, PublishHook, Readiness, RequestHook,
    RestartHook, SecretKeys, Server, ServerFuture, ServerHandle, Signal, StartHook, StopHook,
    Target, Termination, ToHead,
};
pub use variables::Variables;
pub use yaml::{plan_schema, schema, target_schema};
