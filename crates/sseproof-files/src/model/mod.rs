//! The language: what a file may say, as serde reads it and as the JSON Schema tells it to editors.
//!
//! The leaves are parsed where they are read, so that whatever has come this far is well formed by
//! itself; what only makes sense between steps (names, variables) is the business of `check`.

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

pub use matcher::{EndKind, EventMatcher, Pattern, Query, RetryMatcher, Value};
pub use probe::{ProbeOptions, Purpose};
pub use scalar::{Count, Headers, Method, Name, Pause, RoleName, Statuses};
pub use short::{Short, Shorthand};
pub use step::{
    Capture, Churn, Command, Connect, Cut, Expect, Field, ForEach, Gauge, Http, Need, Observe,
    OnlyIf, Payloads, Pour, Publish, Read, Reconnect, Repeat, Restart, Stall, Step, Who,
};
pub use text::{Form, Json, Part, Scope, Text};

/// A scenario: what to do to a target, and what to expect of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What its exchanges are marked with: the file, or the id of a probe.
    pub id: String,
    /// The file, as the user named it.
    pub file: String,
    /// What it shows, in the words of its author.
    pub title: String,
    /// Whether it takes so long that it only runs when it is asked for.
    pub idle: bool,
    /// Only of the built-in pack: what a probe does not get is for the rules to judge.
    pub probe: Option<ProbeOptions>,
    /// What the target must offer for it.
    pub needs: Vec<At<Need>>,
    /// The rules that it is for, each as in `lifecycle/no-leak` or `cors/*`; all, if there are none.
    pub rules: Vec<String>,
    pub source: Arc<str>,
    /// What the variables stand for when the run begins.
    pub scope: Scope,
    pub steps: Vec<At<Step>>,
}

impl Scenario {
    /// Reads a scenario. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead: what is wrong with the
    /// YAML comes alone, what is wrong between the steps comes all at once.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let text = Source { file, text: source };
        Self::checked(crate::yaml::read(&text)?, &text, variables)
    }

    /// Reads a scenario of the built-in pack.
    ///
    /// # Errors
    /// [`Mistakes`], as of [`Scenario::parse`]; also where it does not say how it is played.
    pub(crate) fn probe(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let text = Source { file, text: source };
        let mut document: Document = crate::yaml::read(&text)?;
        let Some(probe) = document.probe.take() else {
            let slip = Slip::instead("`probe` is missing here", "add `probe: { order: 100 }`");
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

    /// What the run learns from it: nothing, unless it is a probe.
    pub fn purpose(&self) -> Purpose {
        self.probe.as_ref().map_or_else(Purpose::default, |probe| probe.purpose)
    }

    pub fn needs(&self, need: Need) -> bool {
        self.needs.iter().any(|needed| needed.value == need)
    }

    /// Whether it publishes texts that are so long that they fill a recording.
    pub fn publishes_long_texts(&self) -> bool {
        self.has_step(&|step| matches!(step, Step::Payloads(payloads) if payloads.long))
    }

    /// Whether one of its steps, or of the steps within them, is like this.
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

    /// Whether a rule of that id is among those that it is for.
    pub fn is_for(&self, rule: &str) -> bool {
        self.rules.iter().any(|named| match named.strip_suffix('*') {
            Some(family) => rule.starts_with(family),
            None => rule == named,
        })
    }

    /// Whether it has streams that every rule on streams judges.
    pub fn shows_streams(&self) -> bool {
        let shows = |step: &Step| match step {
            Step::Connect(connect) => !connect.via && !connect.published && connect.who.is_none(),
            _ => false,
        };
        self.needs.is_empty() && self.has_step(&shows)
    }

    /// How many steps it has, those inside of other steps counted with them as one.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// How many of these steps stand at or before that line: those that were begun when the step in
    /// it was.
    pub fn steps_up_to(&self, line: usize) -> usize {
        self.steps.iter().take_while(|step| step.place.line <= line).count()
    }

    /// The line of that number (from 1) and its neighbours, each with its number.
    pub fn lines_around(&self, line: usize) -> impl Iterator<Item = (usize, &str)> {
        let first = line.saturating_sub(1).max(1);
        let numbered = self.source.lines().enumerate().map(|(index, text)| (index + 1, text));
        numbered.skip(first - 1).take(line + 2 - first)
    }
}

/// What to do to a server of Server-Sent Events, and what to expect of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "sseproof scenario")]
pub struct Document {
    /// What the scenario shows, in one sentence.
    pub scenario: String,
    /// Runs only when it is asked for (`--idle`), because it takes long.
    #[serde(default)]
    pub idle: bool,
    /// What the target must offer for it beside its stream; without that it is left out.
    #[serde(default)]
    pub needs: Vec<At<Need>>,
    /// How it is played as a probe of the built-in pack.
    pub probe: Option<ProbeOptions>,
    /// Of a probe: the rules that look at it, each as in `lifecycle/no-leak` or `cors/*`, so that a
    /// check by other rules can leave it out.
    #[serde(default, rename = "for")]
    pub rules: Vec<String>,
    /// Values for `${name}`, unless the command line gives others (`--var name=value`).
    #[serde(default)]
    pub vars: BTreeMap<String, At<Text>>,
    /// What to do and to expect, in order.
    pub steps: At<Vec<At<Step>>>,
}

/// A value and where it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub place: Place,
}

impl<T> At<T> {
    /// What stands in a short form does not know its place: see the checks.
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
