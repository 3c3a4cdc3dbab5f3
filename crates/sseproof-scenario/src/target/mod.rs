//! The target file: how to drive the thing under test.

mod document;
mod hook;

use std::collections::BTreeSet;

use sseproof_exchange::Headers;

use self::document::{Document, Publish, Request};
use self::hook::{DATA, How};
use crate::mistake::{Mistake, Mistakes, Place, Slip, Source};
use crate::model::{At, Form, Json, Part, Scope, Text};
use crate::nearest::{list, nearest};
use crate::profiles::profile_ids;
use crate::variables::Variables;

pub(crate) use hook::Act;
pub use hook::PublishHook;

/// What a target file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetFile {
    /// The URL of the stream.
    pub url: Option<String>,
    /// Header fields of every request to the target.
    pub headers: Headers,
    /// What makes the server emit an event.
    pub publish: Option<PublishHook>,
    /// The protocol on top of the stream: the id of a profile.
    pub profile: Option<String>,
}

impl TargetFile {
    /// Reads a target file. `file` is only used to name it in messages.
    ///
    /// # Errors
    /// [`Mistakes`], each with its place and with what to write instead.
    pub fn parse(file: &str, source: &str, variables: &Variables) -> Result<Self, Mistakes> {
        let source = Source { file, text: source };
        let document: Document = crate::yaml::read(&source)?;
        let mut check = Check { source: &source, variables, mistakes: Vec::new() };
        check.document(&document);
        if !check.mistakes.is_empty() {
            check.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
            return Err(Mistakes(check.mistakes));
        }
        let scope =
            Scope { values: variables.given.clone(), environment: variables.environment.clone() };
        // Every variable has a value: that was looked at above.
        let fill = |text: &Text| text.fill(&scope).unwrap_or_default();
        Ok(Self {
            url: document.url.as_ref().map(|url| fill(url)),
            headers: document
                .headers
                .iter()
                .flat_map(|headers| &headers.0)
                .filter_map(|(name, value)| Some((name.clone(), fill(value.as_ref()?))))
                .collect(),
            profile: document.profile.map(|profile| profile.value),
            publish: document.publish.and_then(|publish| {
                let Publish { stream, http, run } = publish.value;
                let how = match (http, run) {
                    (Some(http), _) => How::Http(Box::new(http.value.into_step())),
                    (None, Some(run)) => How::Run(run.value),
                    (None, None) => return None,
                };
                let hook = PublishHook::new(how, scope.clone());
                Some(match stream {
                    Some(stream) => hook.on_stream(fill(&stream)),
                    None => hook,
                })
            }),
        })
    }
}

struct Check<'s> {
    source: &'s Source<'s>,
    variables: &'s Variables,
    mistakes: Vec<Mistake>,
}

impl Check<'_> {
    fn slip(&mut self, place: Place, slip: Slip) {
        self.mistakes.push(slip.at(self.source, place));
    }

    fn document(&mut self, document: &Document) {
        if let Some(text) = &document.url {
            self.text(text, text.place, false);
        }
        if let Some(headers) = &document.headers {
            for text in headers.0.values().flatten() {
                self.text(text, headers.place, false);
            }
        }
        if let Some(publish) = &document.publish {
            self.publish(publish);
        }
        if let Some(profile) = &document.profile {
            self.profile(profile);
        }
    }

    fn profile(&mut self, profile: &At<String>) {
        if profile_ids().any(|id| id == profile.value) {
            return;
        }
        let instead = match nearest(&profile.value, profile_ids()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the profiles are {}", list(profile_ids())),
        };
        let what = format!("there is no profile `{}`", profile.value);
        self.slip(profile.place, Slip::instead(what, instead));
    }

    fn publish(&mut self, publish: &At<Publish>) {
        if let Some(stream) = &publish.stream {
            self.text(stream, stream.place, false);
            self.path(stream);
        }
        let slip = match (&publish.http, &publish.run) {
            (Some(_), Some(_)) => {
                Slip::instead("`http` and `run` both say how to publish", "keep one of the two")
            }
            (None, None) => Slip::instead(
                "`publish` does not say how to publish",
                "add `http: { path: /publish, body: \"${data}\" }`, or `run: ./publish ${data}`",
            ),
            (Some(http), None) => return self.http(http),
            (None, Some(run)) => {
                self.text(run, run.place, true);
                if !has_data(run) {
                    self.no_data(run.place, "run: ./publish ${data}");
                }
                if shlex::split(&run.fill_with(&sample(), |_| "x".to_owned()).unwrap_or_default())
                    .is_none_or(|words| words.is_empty())
                {
                    let what = "this cannot be split into a program and its arguments";
                    let instead = "a quote may be open, or there is nothing";
                    self.slip(run.place, Slip::instead(what, instead));
                }
                return;
            }
        };
        self.slip(publish.place, slip);
    }

    fn http(&mut self, http: &At<Request>) {
        let place = http.place;
        match (&http.path, &http.url) {
            (Some(path), None) => self.path(path),
            (None, Some(_)) => {}
            (Some(_), Some(_)) => {
                let what = "`path` and `url` both say where the request goes";
                let instead = "keep `path` for the target, `url` for another server";
                self.slip(place, Slip::instead(what, instead));
            }
            (None, None) => {
                let what = "the request does not say where it goes";
                self.slip(place, Slip::instead(what, "add `path: /publish`, or a whole `url`"));
            }
        }
        if http.body.is_some() && http.json.is_some() {
            let what = "`body` and `json` both say what is sent";
            self.slip(place, Slip::instead(what, "keep one of the two"));
        }
        let lines: Vec<(&Text, Place)> = [&http.path, &http.url]
            .into_iter()
            .flatten()
            .map(|text| (&text.value, text.place))
            .chain(http.headers.0.values().flatten().map(|text| (text, place)))
            .collect();
        let bodies: Vec<Text> = http
            .body
            .iter()
            .cloned()
            .chain(http.json.as_ref().map(Json::texts).unwrap_or_default())
            .collect();
        for &(text, near) in &lines {
            self.text(text, near, true);
            self.one_line(text, near);
        }
        for text in &bodies {
            self.text(text, place, true);
        }
        if !lines.iter().map(|(text, _)| *text).chain(&bodies).any(has_data) {
            self.no_data(place, "body: \"${data}\"");
        }
    }

    /// In a URL and in a header field, data with a line end has no form as it is.
    fn one_line(&mut self, text: &Text, near: Place) {
        if text.0.contains(&Part::Variable(DATA.to_owned(), Form::Plain)) {
            let written = Form::Plain.spelled(DATA);
            let place = self.source.find(&written, near).unwrap_or(near);
            let what = "data with line ends cannot stand here as it is";
            let instead = "write ${data:percent}, or ${data:base64}";
            self.slip(place, Slip::instead(what, instead));
        }
    }

    fn path(&mut self, path: &At<Text>) {
        let starts = matches!(path.0.first(), Some(Part::Plain(start)) if start.starts_with('/'));
        if !starts {
            let what = "this path does not begin with a slash";
            self.slip(path.place, Slip::instead(what, "write it as in /publish?topic=1"));
        }
    }

    fn no_data(&mut self, place: Place, instead: &str) {
        let what = "nothing here carries what is to be published";
        self.slip(place, Slip::instead(what, format!("say where it goes: {instead}")));
    }

    /// Whether each variable of the text has a value; `near` is where to look for it in the file.
    fn text(&mut self, text: &Text, near: Place, published: bool) {
        for part in &text.0 {
            let (written, slip) = match part {
                Part::Plain(_) => continue,
                Part::Variable(name, _) if published && name == DATA => continue,
                Part::Variable(name, _) if self.variables.given.contains_key(name) => continue,
                Part::Variable(name, form) => (form.spelled(name), self.undefined(name, published)),
                Part::Environment(name) if self.variables.environment.contains_key(name) => {
                    continue;
                }
                Part::Environment(name) => (
                    format!("${{env:{name}}}"),
                    Slip::instead(
                        format!("the environment has no variable `{name}`"),
                        format!("set it before the run: {name}=… sseproof …"),
                    ),
                ),
            };
            let place = self.source.find(&written, near).unwrap_or(near);
            self.slip(place, slip);
        }
    }

    fn undefined(&self, name: &str, published: bool) -> Slip {
        let mut known: BTreeSet<&str> = self.variables.given.keys().map(String::as_str).collect();
        known.extend(published.then_some(DATA));
        let what = format!("nothing gives `{name}` a value");
        let others = format!("give it with --var {name}=…, or write ${{env:NAME}}");
        match nearest(name, known.iter().copied()) {
            Some(meant) => Slip::instead(what, format!("did you mean `${{{meant}}}`?")),
            None if published => Slip::instead(
                what,
                format!("what is published is ${{data}}; for anything else, {others}"),
            ),
            None => Slip::instead(what, others),
        }
    }
}

fn has_data(text: &Text) -> bool {
    text.0.iter().any(|part| matches!(part, Part::Variable(name, _) if name == DATA))
}

/// Some data, for a look at the form of a command.
fn sample() -> Scope {
    let mut scope = Scope::default();
    scope.values.insert(DATA.to_owned(), "x".to_owned());
    scope
}
