//! Plans: what is done to a server under load, as people write it.

mod build;
mod document;
mod ready;
mod scalar;
mod template;

use std::path::PathBuf;
use std::time::Duration;

use sseproof_http::Headers;
use sseproof_load_model::{Http, Plan, Publishing, Sequencing, Stamping, Threshold};

use crate::mistake::{Mistakes, Source};
use crate::target::HookCall;
use crate::variables::Variables;
use crate::{ConnectionKeys, PublishHook, Target};

pub(crate) use document::Document as PlanDocument;
pub use ready::{ReadyPlan, plans};
pub use template::Template;

#[derive(Clone, Debug, PartialEq)]
pub struct PlanFile {
    /// The load itself.
    pub plan: Plan,
    /// The realistic parts of it.
    pub why: Option<String>,
    /// The URL of the stream; a path alone is one on the embedded server.
    pub url: Option<Template>,
    /// The URL of the same as a WebSocket; a path alone is one on the embedded server.
    pub websocket: Option<Template>,
    pub connection: ConnectionKeys,
    /// Header fields of every request, in addition to those that every client sends.
    pub headers: Vec<(String, Template)>,
    /// The method that asks for the stream.
    pub method: String,
    pub body: Option<Body>,
    /// How the generator publishes, where the plan does.
    pub publish: Option<PublishHook>,
}

/// Values that take the place of those of a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanOverlay {
    pub url: Option<Template>,
    pub websocket: Option<Template>,
    /// They take the place of their namesakes only.
    pub headers: Vec<(String, Template)>,
    pub method: Option<String>,
    /// Without a method, a body is sent by POST.
    pub body: Option<Body>,
    pub publish: Option<(PublishHook, Publishing)>,
    pub stamping: Option<Stamping>,
    pub sequencing: Option<Sequencing>,
    pub http: Option<Http>,
    /// Whether it adds `compress`.
    pub compress: bool,
    pub patience: Option<Duration>,
    pub seed: Option<u64>,
    /// In addition to those of the plan.
    pub thresholds: Vec<Threshold>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Text(Template),
    /// A text that is JSON, and is sent with that content type unless `headers` has another.
    Json(Template),
    /// The content of this file; the path is relative to the plan's.
    File(PathBuf),
}

impl PlanFile {
    /// A load on the embedded server, by GET.
    pub fn new(plan: Plan) -> Self {
        Self {
            plan,
            why: None,
            url: None,
            websocket: None,
            connection: ConnectionKeys::default(),
            headers: Vec::new(),
            method: "GET".to_owned(),
            body: None,
            publish: None,
        }
    }

    /// The same load with these values in place of its own.
    #[must_use]
    pub fn overlay(mut self, over: PlanOverlay) -> Self {
        for (name, value) in over.headers {
            self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            self.headers.push((name, value));
        }
        if self.method == "GET" && over.body.is_some() {
            "POST".clone_into(&mut self.method);
        }
        // The generator stamps and numbers what it publishes.
        if over.publish.is_some() {
            if self.plan.stamping == Stamping::Auto {
                self.plan.stamping = Stamping::Own;
            }
            if self.plan.sequencing == Sequencing::Auto {
                self.plan.sequencing = Sequencing::Own;
            }
        }
        let (publish, publishing) = over.publish.unzip();
        let mut thresholds = self.plan.thresholds;
        thresholds.extend(over.thresholds);
        Self {
            plan: Plan {
                publishing: publishing.or(self.plan.publishing),
                stamping: over.stamping.unwrap_or(self.plan.stamping),
                sequencing: over.sequencing.unwrap_or(self.plan.sequencing),
                http: over.http.unwrap_or(self.plan.http),
                compress: over.compress || self.plan.compress,
                patience: over.patience.unwrap_or(self.plan.patience),
                seed: over.seed.unwrap_or(self.plan.seed),
                thresholds,
                ..self.plan
            },
            url: over.url.or(self.url),
            websocket: over.websocket.or(self.websocket),
            method: over.method.unwrap_or(self.method),
            body: over.body.or(self.body),
            publish: publish.or(self.publish),
            ..self
        }
    }

    /// Reads a plan. `file` names it in messages, and its folder is that of relative paths.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead: what is wrong with the
    /// YAML comes alone, what is wrong beyond that comes all at once.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let source = Source { file, text: source };
        let document = crate::yaml::read(&source)?;
        build::build(document, &source, variables)
    }

    /// The request or the command that publishes this data to the server of that URL; `None` where
    /// the plan publishes nothing.
    ///
    /// The first client's header fields go with a request, unless it goes to another server.
    ///
    /// # Errors
    /// The name of a variable that has no value, or why the request cannot carry the data.
    pub fn publication(&self, url: &str, data: &str) -> Result<Option<HookCall>, String> {
        let Some(hook) = &self.publish else { return Ok(None) };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.fill(0)));
        let headers: Headers = headers.collect();
        let target = Target { headers, ..Target::new(url) };
        match hook.call(&target, data)? {
            HookCall::Unsendable(why) => Err(why),
            call => Ok(Some(call)),
        }
    }
}
