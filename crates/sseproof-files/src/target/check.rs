//! Looks for mistakes in a file with variables: keys that exclude each other, and variables without a value.

use std::collections::{BTreeMap, BTreeSet};

use sseproof_rules::profiles;
use sseproof_units::{names, nearest};

use super::document::{Document, Gauge, Publish, Request};
use super::hook::{DATA, is_published};
use super::named;
use crate::mistake::{Mistake, Place, Slip, Source};
use crate::model::{At, Json, Part, Scope, Text};
use crate::variables::Variables;

/// A mistake in a file with variables.
pub(crate) struct Check<'s> {
    source: &'s Source<'s>,
    /// Those that were given, and then those of the file, too.
    pub(crate) variables: Variables,
    pub(crate) mistakes: Vec<Mistake>,
}

impl<'s> Check<'s> {
    pub(crate) fn new(source: &'s Source<'s>, variables: &Variables) -> Self {
        Self { source, variables: variables.clone(), mistakes: Vec::new() }
    }

    pub(crate) fn slip(&mut self, place: Place, slip: Slip) {
        self.mistakes.push(slip.at(self.source, place));
    }

    /// The values of the variables of the file.
    pub(crate) fn vars(&mut self, vars: &BTreeMap<String, At<Text>>) -> BTreeMap<String, String> {
        let environment = self.variables.environment.clone();
        let scope = Scope { environment, ..Scope::default() };
        let mut values = BTreeMap::new();
        for (name, text) in vars {
            if let Some(given) = self.variables.given.get(name) {
                values.insert(name.clone(), given.clone());
                continue;
            }
            if is_published(name) {
                let what = format!("`{name}` is a part of what is published");
                self.slip(text.place, Slip::instead(what, "give the variable another name"));
            }
            if text.0.iter().any(|part| matches!(part, Part::Variable(..))) {
                let what = "a variable of the file cannot contain others";
                let instead = "use only ${env:NAME} and ${300*x}";
                self.slip(text.place, Slip::instead(what, instead));
            } else {
                self.text(text, text.place, false);
            }
            values.insert(name.clone(), text.fill(&scope).unwrap_or_default());
        }
        values
    }

    pub(super) fn document(&mut self, document: &Document) {
        for text in &document.secrets {
            self.text(&named(text), text.place, false);
        }
        if let Some(text) = &document.url {
            self.text(text, text.place, false);
        }
        let other = document.other.as_ref().map(|other| &other.headers);
        for headers in document.headers.iter().chain(other) {
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
        self.process(document);
        for gauge in [&document.active, &document.memory].into_iter().flatten() {
            self.gauge(gauge);
        }
        if let Some(path) = &document.unix_socket {
            self.text(path, path.place, false);
        }
        self.trust(document.ca.as_ref(), document.insecure.as_ref());
        if let Some(via) = &document.via {
            self.text(via, via.place, false);
            let starts =
                |start: &str| start.starts_with("http://") || start.starts_with("https://");
            if matches!(via.0.first(), Some(Part::Plain(start)) if !starts(start)) {
                let what = "`via` is the URL of the stream behind a proxy";
                self.slip(
                    via.place,
                    Slip::instead(what, "write it as in http://127.0.0.1:8081/events"),
                );
            }
        }
    }

    pub(crate) fn trust(&mut self, ca: Option<&At<Text>>, insecure: Option<&At<bool>>) {
        let Some(ca) = ca else { return };
        self.text(ca, ca.place, false);
        if ca.0.is_empty() {
            let what = "`ca` names no file";
            self.slip(ca.place, Slip::instead(what, "write `ca: ca.pem`, or leave it out"));
        }
        if let Some(insecure) = insecure.filter(|insecure| insecure.value) {
            let what = "`ca` names trusted certificates, and `insecure` trusts all";
            self.slip(insecure.place, Slip::instead(what, "keep one of the two"));
        }
    }

    /// How the server is started, stopped and restarted.
    fn process(&mut self, document: &Document) {
        if let Some(start) = &document.start {
            self.command(&start.run, start.place);
            if let Some(ready) = &start.ready {
                let said = [ready.port.is_some(), ready.http.is_some(), ready.output.is_some()];
                if said.into_iter().filter(|said| *said).count() > 1 {
                    let what = "`port`, `http` and `output` each say when the server is ready";
                    self.slip(ready.place, Slip::instead(what, "keep one of them"));
                }
                for text in [&ready.http, &ready.output.as_ref().map(|output| output.0.clone())] {
                    text.iter().for_each(|text| self.text(text, ready.place, false));
                }
            }
        }
        if let Some(stop) = &document.stop {
            if let Some(run) = &stop.run {
                self.command(run, stop.place);
            }
            if stop.run.is_some() == stop.signal.is_some() {
                let what = "`stop` is either a command or a signal";
                self.slip(stop.place, Slip::instead(what, "write `run: ./stop`, or `signal: INT`"));
            }
            if document.start.is_none() {
                let what = "there is nothing to stop: the file does not start the server";
                self.slip(
                    stop.place,
                    Slip::instead(what, "add `start: ./server`, or leave `stop` out"),
                );
            }
        }
        let Some(restart) = &document.restart else { return };
        let place = restart.place;
        match (&restart.http, &restart.run, restart.again) {
            (Some(http), None, None) => self.request(http),
            (None, Some(run), None) => self.command(run, place),
            (None, None, Some(true)) if document.start.is_none() => {
                let what = "`restart: true` stops the server and starts it again, and the file does not say how to start it";
                let instead =
                    "add `start: ./server`, or write `restart: { run: docker restart app }`";
                self.slip(place, Slip::instead(what, instead));
            }
            (None, None, Some(_)) => {}
            (Some(_), Some(_), _) => {
                let what = "`http` and `run` both say how to restart";
                self.slip(place, Slip::instead(what, "keep one of the two"));
            }
            _ => {
                let what = "`restart` does not say how to restart";
                let instead = "write `restart: true`, or add `run: docker restart app` or `http: { path: /restart }`";
                self.slip(place, Slip::instead(what, instead));
            }
        }
    }

    fn gauge(&mut self, gauge: &At<Gauge>) {
        let place = gauge.place;
        match (&gauge.http, &gauge.process) {
            (Some(http), None) => self.request(http),
            (None, Some(_)) if gauge.pointer.is_none() && gauge.regex.is_none() => {}
            (None, Some(_)) => {
                let what = "`pointer` and `regex` say where a number stands in an answer";
                self.slip(place, Slip::instead(what, "leave them out: a process has no answer"));
            }
            (Some(_), Some(_)) => {
                let what = "`http` and `process` both say where the number is read";
                self.slip(place, Slip::instead(what, "keep one of the two"));
            }
            (None, None) => {
                let what = "it is not said where the number is read";
                let instead = "add `http: { path: /active }`, or `process: true`";
                self.slip(place, Slip::instead(what, instead));
            }
        }
        if gauge.pointer.is_some() && gauge.regex.is_some() {
            let what = "`pointer` and `regex` both say where the number stands";
            self.slip(place, Slip::instead(what, "keep one of the two"));
        }
        if let Some(pointer) = &gauge.pointer {
            self.text(pointer, pointer.place, false);
            if matches!(pointer.0.first(), Some(Part::Plain(start)) if !start.starts_with('/')) {
                let what = "a JSON pointer begins with a slash";
                self.slip(pointer.place, Slip::instead(what, "write it as in /streams/open"));
            }
        }
        if let Some(regex) = &gauge.regex {
            self.text(&regex.0, place, false);
        }
    }

    /// Whether a command can be split into words, each of its variables being one.
    fn splits(&mut self, command: &Text, place: Place) {
        let words = shlex::split(&command.with_each_as("x"));
        if words.is_none_or(|words| words.is_empty()) {
            let what = "this cannot be split into a program and its arguments";
            let instead = "a quote may be open, or there is nothing";
            self.slip(place, Slip::instead(what, instead));
        }
    }

    fn command(&mut self, command: &At<Text>, near: Place) {
        let place = if command.place.line == 0 { near } else { command.place };
        self.text(command, place, false);
        self.splits(command, place);
    }

    /// A request that carries nothing that is published.
    fn request(&mut self, http: &At<Request>) {
        let place = http.place;
        self.goes_somewhere(http);
        for text in [&http.path, &http.url].into_iter().flatten() {
            self.text(text, text.place, false);
        }
        let bodies = http.json.as_ref().map(Json::texts).unwrap_or_default();
        for text in http.headers.0.values().flatten().chain(&http.body).chain(&bodies) {
            self.text(text, place, false);
        }
    }

    fn profile(&mut self, profile: &At<String>) {
        if sseproof_rules::profile(&profile.value).is_some() {
            return;
        }
        let ids = || profiles().map(|profile| profile.id);
        let known = ids().chain(profiles().flat_map(|profile| profile.aliases).copied());
        let instead = match nearest(&profile.value, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the profiles are {}", names(ids())),
        };
        let what = format!("there is no profile `{}`", profile.value);
        self.slip(profile.place, Slip::instead(what, instead));
    }

    fn publish(&mut self, publish: &At<Publish>) {
        if let Some(stream) = &publish.stream {
            self.text(stream, stream.place, false);
            self.path(stream);
        }
        if let Some(answer) = publish.answer.as_ref().filter(|answer| answer.value) {
            let slip = match (&publish.stream, &publish.run) {
                (Some(_), _) => Some(Slip::instead(
                    "`stream` and `answer` both say which stream carries what is published",
                    "keep one of the two",
                )),
                (None, Some(_)) => Some(Slip::instead(
                    "a command has no answer that is a stream",
                    "leave `answer` out, or publish with `http`",
                )),
                _ => None,
            };
            slip.into_iter().for_each(|slip| self.slip(answer.place, slip));
        }
        self.publication(publish.place, publish.http.as_ref(), publish.run.as_ref());
    }

    /// A request or a command that carries what is published.
    pub(crate) fn publication(
        &mut self,
        place: Place,
        http: Option<&At<Request>>,
        run: Option<&At<Text>>,
    ) {
        let slip = match (http, run) {
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
                self.splits(run, run.place);
                return;
            }
        };
        self.slip(place, slip);
    }

    /// A request that carries what is published.
    pub(crate) fn http(&mut self, http: &At<Request>) {
        let place = http.place;
        self.goes_somewhere(http);
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
        }
        for text in &bodies {
            self.text(text, place, true);
        }
        if !lines.iter().map(|(text, _)| *text).chain(&bodies).any(has_data) {
            self.no_data(place, "body: \"${data}\"");
        }
    }

    /// Whether it says where it goes, once, and what is sent, at most once.
    fn goes_somewhere(&mut self, http: &At<Request>) {
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
    pub(crate) fn text(&mut self, text: &Text, near: Place, published: bool) {
        for part in &text.0 {
            let (written, slip) = match part {
                Part::Plain(_) => continue,
                Part::Variable(name, _) if published && is_published(name) => continue,
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
        if published {
            known.extend(sseproof_record::Part::ALL.map(sseproof_record::Part::variable));
        }
        let what = format!("nothing gives `{name}` a value");
        let others = format!(
            "add `vars: {{ {name}: … }}` to the file, give --var {name}=…, or write ${{env:NAME}}"
        );
        match nearest(name, known.iter().copied()) {
            Some(meant) => Slip::instead(what, format!("did you mean `${{{meant}}}`?")),
            None if published => Slip::instead(
                what,
                format!(
                    "what is published is ${{data}}, ${{event}}, ${{id}} and ${{comment}}; for anything else, {others}"
                ),
            ),
            None => Slip::instead(what, others),
        }
    }
}

fn has_data(text: &Text) -> bool {
    text.names().any(|name| name == DATA)
}
