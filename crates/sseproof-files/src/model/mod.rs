//! The language of scenarios, for serde and for the JSON Schema that editors use.
//!
//! Scalars are parsed as they are read, so each value is valid by itself; `check` tests the relations
//! between steps (names, variables).

mod drive;
mod matcher;
mod probe;
mod scalar;
mod short;
mod step;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::mistake::{Mistakes, Place, Slip, Source};
use crate::variables::Variables;

pub use drive::{
    Churn, Crowd, Gauge, Grown, Need, Payloads, Pour, Restart, Stall, Terminate, Until,
};
pub use matcher::{EndKind, EventMatcher, Pattern, Query, RetryMatcher, Value};
pub use probe::{ProbeOptions, Purpose};
pub use scalar::{Count, Headers, Method, Name, Pause, RoleName, Statuses};
pub use short::{Short, Shorthand};
pub use step::{
    Capture, Command, Connect, Disconnect, Expect, Field, ForEach, Http, Identity, Observe, OnlyIf,
    Publish, Read, Reconnect, Repeat, Step,
};
pub use text::{Form, Json, Part, Scope, Text};

/// A scenario: actions on a target, and expectations.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file, or the id of a probe; its exchanges have it as a mark.
    pub id: String,
    /// The file, as the user named it.
    pub file: String,
    pub title: String,
    /// Whether it runs only on request, because it takes long.
    pub idle: bool,
    /// Only in the built-in pack: a probe never fails, the rules judge its exchanges.
    pub probe: Option<ProbeOptions>,
    pub needs: Vec<At<Need>>,
    /// The rules that need it, as in `lifecycle/no-leak` or `cors/*`; if empty, all.
    pub rules: Vec<String>,
    pub source: Arc<str>,
    /// The values of variables at the start of the run.
    pub scope: Scope,
    pub steps: Vec<At<Step>>,
}

impl Scenario {
    /// Reads a scenario. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and a correction: the first one of the YAML, or all those
    /// between the steps.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let text = Source { file, text: source };
        Self::checked(crate::yaml::read(&text)?, &text, variables)
    }

    /// Reads a scenario of the built-in pack.
    ///
    /// # Errors
    /// [`Mistakes`], as of [`Scenario::parse`]; also if `probe` is missing.
    pub(crate) fn probe(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let text = Source { file, text: source };
        let mut document: Document = crate::yaml::read(&text)?;
        let Some(probe) = document.probe.take() else {
            let slip = Slip::instead("`probe` is missing", "add `probe: { order: 100 }`");
            return Err(Mistakes(vec![slip.at(&text, Place { line: 1, column: 1 })]));
        };
        let scenario = Self::checked(document, &text, variables)?;
        Ok(Self { probe: Some(probe), ..scenario })
    }

    fn checked(
        document: Document,
        source: &Source<'_>,
        variables: &Variables,
    ) -> Result<Self, Mistakes> {
        let scope = crate::check::check(&document, source, variables)?;
        Ok(Self {
            id: source.file.to_owned(),
            file: source.file.to_owned(),
            title: document.scenario,
            idle: document.idle,
            probe: None,
            needs: document.needs,
            rules: document.rules,
            source: source.text.into(),
            scope,
            steps: document.steps.value,
        })
    }

    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    pub fn purpose(&self) -> Purpose {
        self.probe.as_ref().map_or_else(Purpose::default, |probe| probe.purpose)
    }

    pub fn needs(&self, need: Need) -> bool {
        self.needs.iter().any(|needed| needed.value == need)
    }

    /// Whether it publishes texts so long that they fill a recording.
    pub fn publishes_long_texts(&self) -> bool {
        self.has_step(&|step| matches!(step, Step::Payloads(payloads) if payloads.long))
    }

    /// Whether it publishes nothing but dangerous payloads.
    pub fn publishes_only_payloads(&self) -> bool {
        !self.has_step(&|step| !matches!(step, Step::Payloads(_)))
    }

    /// Whether it publishes a few events, and depends on the rest of the server's state in no other
    /// way than subscribers do.
    pub fn only_publishes(&self) -> bool {
        let publishes = |step: &Step| matches!(step, Step::Publish(_) | Step::Payloads(_));
        let affects_more = |step: &Step| {
            matches!(
                step,
                Step::Gauge(_)
                    | Step::Churn(_)
                    | Step::Crowd(_)
                    | Step::Pour(_)
                    | Step::Stall(_)
                    | Step::Restart(_)
                    | Step::Terminate(_)
            )
        };
        self.has_step(&publishes) && !self.has_step(&affects_more)
    }

    /// Whether it publishes many events, or all dangerous payloads.
    pub fn publishes_much(&self) -> bool {
        self.has_step(&|step| matches!(step, Step::Pour(_) | Step::Payloads(_)))
    }

    /// Whether many clients come and go.
    pub fn is_crowded(&self) -> bool {
        self.has_step(&|step| matches!(step, Step::Churn(_)))
    }

    /// Whether the predicate holds for a step, also for a nested one.
    pub(crate) fn has_step(&self, is_it: &impl Fn(&Step) -> bool) -> bool {
        fn any(steps: &[At<Step>], is_it: &impl Fn(&Step) -> bool) -> bool {
            steps.iter().any(|step| match &step.value {
                Step::Repeat(repeat) => any(&repeat.steps.value, is_it),
                Step::ForEach(each) => any(&each.steps.value, is_it),
                step => is_it(step),
            })
        }
        any(&self.steps, is_it)
    }

    pub fn is_for(&self, rule: &str) -> bool {
        self.rules.iter().any(|named| match named.strip_suffix('*') {
            Some(family) => rule.starts_with(family),
            None => rule == named,
        })
    }

    /// Whether it has streams that the general rules judge.
    pub fn shows_streams(&self) -> bool {
        let shows = |step: &Step| match step {
            Step::Connect(connect) => {
                !connect.via && !connect.published && connect.identity.is_none()
            }
            _ => false,
        };
        self.needs.is_empty() && self.has_step(&shows)
    }

    /// Whether it usually takes a moment: it looks at streams beside other probes, or publishes
    /// short texts.
    pub fn is_quick(&self) -> bool {
        let is_alone = self.probe.as_ref().is_some_and(|probe| probe.alone);
        let publishes = self.publishes_only_payloads() && !self.publishes_long_texts();
        self.purpose() != Purpose::Provoke || !is_alone && !self.idle || publishes
    }

    /// The number of top-level steps.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The number of these steps up to that line: those that had begun when its step began.
    pub fn steps_up_to(&self, line: usize) -> usize {
        self.steps.iter().take_while(|step| step.place.line <= line).count()
    }

    /// This line (from 1) and its neighbours, each with its number.
    pub fn lines_around(&self, line: usize) -> impl Iterator<Item = (usize, &str)> {
        let first = line.saturating_sub(1).max(1);
        let numbered =
            crate::mistake::lines(&self.source).enumerate().map(|(index, text)| (index + 1, text));
        numbered.skip(first - 1).take(line + 2 - first)
    }
}

/// Actions on a server of Server-Sent Events, and expectations.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sseproof scenario")]
pub struct Document {
    /// The purpose of the scenario, in one sentence.
    pub scenario: String,
    /// Runs only with `--idle`, because it takes long.
    #[serde(default)]
    pub idle: bool,
    /// Features that the target must have beside its stream; without them the scenario is left out.
    #[serde(default)]
    pub needs: Vec<At<Need>>,
    /// Options of a probe of the built-in pack.
    pub probe: Option<ProbeOptions>,
    /// Of a probe: the rules that need it, as in `lifecycle/no-leak` or `cors/*`; a check of other
    /// rules leaves it out.
    #[serde(default, rename = "for")]
    pub rules: Vec<String>,
    /// Values for `${name}`, unless the command line gives others (`--var name=value`).
    #[serde(default)]
    pub vars: BTreeMap<String, At<Text>>,
    /// Actions and expectations, in order.
    pub steps: At<Vec<At<Step>>>,
}

/// A value and its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

impl<T> At<T> {
    /// For short forms, whose place `check` finds.
    pub fn unplaced(value: T) -> Self {
        Self { value, place: Place { line: 0, column: 0 } }
    }
}

impl<T> std::ops::Deref for At<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = serde_yaml::Spanned::<T>::deserialize(deserializer)?;
        Ok(Self { value: spanned.value, place: spanned.referenced.into() })
    }
}

impl From<serde_yaml::Location> for Place {
    fn from(location: serde_yaml::Location) -> Self {
        let number = |of: u64| usize::try_from(of).unwrap_or(usize::MAX).max(1);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
