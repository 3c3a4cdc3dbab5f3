//! Plans: what is done to a server under load, as people write it.

mod build;
mod document;
mod ready;
mod scalar;
mod template;

use std::path::PathBuf;

use sseproof_load_model::Plan;
use sseproof_record::{Headers, Request};

use crate::mistake::{Mistakes, Source};
use crate::target::Act;
use crate::variables::Variables;
use crate::{NamedFile, PublishHook, Target};

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
    /// The certificates that are trusted besides those of the system; a relative path begins at the
    /// folder of the plan.
    pub ca: Option<NamedFile>,
    /// Whether any certificate is trusted.
    pub insecure: bool,
    /// Header fields of every request, in addition to those that every client sends.
    pub headers: Vec<(String, Template)>,
    /// The method that asks for the stream.
    pub method: String,
    pub body: Option<Body>,
    /// How the generator publishes, where the plan does.
    pub publish: Option<PublishHook>,
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
    /// Reads a plan. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead: what is wrong with the
    /// YAML comes alone, what is wrong beyond that comes all at once.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let source = Source { file, text: source };
        let document = crate::yaml::read(&source)?;
        build::build(document, &source, variables)
    }

    /// The request that publishes this data to the server of that URL; `None` where the plan
    /// publishes nothing.
    ///
    /// The first client's header fields go with it, unless it goes to another server.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn publish_request(&self, url: &str, data: &str) -> Result<Option<Request>, String> {
        let Some(hook) = &self.publish else { return Ok(None) };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.fill(0)));
        let headers: Headers = headers.collect();
        let target = Target { headers, ..Target::new(url) };
        Ok(match hook.act(&target, data)? {
            Act::Send(request) => Some(request),
            Act::Run(_) => None,
        })
    }
}
