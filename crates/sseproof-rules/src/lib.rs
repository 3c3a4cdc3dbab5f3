//! The requirements on an SSE server, and the rules that judge a transcript by them.
//!
//! A rule is a pure function over a [`Record`]; each stands in a file of its own, with the mutants
//! that it must find, and is registered by one line in its family.
//! Its tests are recordings in short form in `tests/`, with the expected verdict.
//! The text, level and source of a requirement are in `specs/`, and only there.

mod auth;
#[cfg(test)]
mod cases;
mod chunks;
mod cors;
mod delivery;
mod encode;
mod finding;
mod gzip;
mod hostile;
mod lifecycle;
mod outcome;
mod plain;
mod profile;
mod proxy;
mod reconnect;
mod record;
pub mod reference;
mod registry;
mod requirement;
mod response;
mod resume;
mod retry;
mod rule;
mod software;
mod stream;
#[cfg(test)]
mod testing;
mod timing;
mod transport;

pub use encode::broken_by;
pub use finding::{BUG, Evidence, Excerpt, Finding, Status};
pub use hostile::{Hostile, hostile};
pub use profile::{Profile, profile, profiles, profiles_of};
pub use record::{Record, TimedItem, View};
pub use registry::{BY_HARM, is_final, judge, mutants, rule, rules, rules_for};
pub use requirement::{
    Level, Recipe, Requirement, RuleText, Subject, client_rule_texts, requirement, requirements,
    rule_text, standing,
};
pub use rule::{Driven, Fault, Host, Mutant, Over, Place, Rule, Verdict};
pub(crate) use rule::{Family, LooksAt, Single};
pub use software::{Software, software};
