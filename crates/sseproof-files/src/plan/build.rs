//! From what a file says to a plan, and what makes no sense in it.

use std::time::Duration;

use sseproof_http::Version;
use sseproof_load_model::{
    Arrivals, Http, Plan, Publishing, Sequencing, Stamping, Threshold, ThresholdError, Workload,
};

use super::document::{self, Document};
use super::scalar::{Amount, PerSecond};
use super::template::{NUMBER, Template};
use super::{Body, PlanFile};
use crate::mistake::{Mistakes, Place, Slip, Source};
use crate::model::{At, Json, Pause, Scope};
use crate::target::{Check, TargetRequest};
use crate::variables::Variables;
use crate::{ConnectionKeys, NamedFile, PublishHook};

mod workload;

/// No load runs longer, and sums of such times do not overflow.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// Shorter intervals measure the generator's clock.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// The largest size of the generator's own stamp and number.
const STAMP: usize = 64;

/// The size of the data of a published event, if the plan has none.
const SIZE: usize = 200;

pub(super) fn build(
    document: Document,
    source: &Source<'_>,
    variables: &Variables,
) -> Result<PlanFile, Mistakes> {
    let mut check = Check::new(source, variables);
    if let Some(text) = document.vars.get(NUMBER) {
        let what = format!("`{NUMBER}` is the number of a client");
        check.slip(text.place, Slip::instead(what, "give the variable another name"));
    }
    let vars = check.vars(&document.vars);
    check.variables.given.extend(vars);
    let scope = Scope {
        values: check.variables.given.clone(),
        environment: check.variables.environment.clone(),
    };
    let mut build = Build { check, source, scope };
    let file = build.file(document);
    let mut mistakes = build.check.mistakes;
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    mistakes.dedup();
    match file {
        Some(file) if mistakes.is_empty() => Ok(file),
        _ => Err(Mistakes(mistakes)),
    }
}

struct Build<'s> {
    check: Check<'s>,
    source: &'s Source<'s>,
    scope: Scope,
}

impl Build<'_> {
    fn slip(&mut self, place: Place, what: impl Into<String>, instead: impl Into<String>) {
        self.check.slip(place, Slip::instead(what, instead));
    }

    /// The file; `None` where it has no workload, which is a mistake.
    fn file(&mut self, document: Document) -> Option<PlanFile> {
        let requests = document.requests.as_ref();
        let headers = self.headers(&document);
        let url = document.url.as_ref().map(|url| self.url(url, ["http://", "https://"]));
        let websocket = document.websocket.as_ref().map(|url| self.url(url, ["ws://", "wss://"]));
        let body = requests.and_then(|requests| self.body(requests));
        let method = requests.and_then(|requests| requests.method.clone()).map_or_else(
            || if body.is_some() { "POST" } else { "GET" }.to_owned(),
            |method| method.0,
        );
        self.check.trust(document.ca.as_ref(), document.insecure.as_ref());
        if let Some(path) = &document.unix_socket {
            self.check.text(path, path.place, false);
        }
        let path = document.unix_socket.as_ref();
        let unix_socket = path.map(|path| path.fill(&self.scope).unwrap_or_default().into());
        let connection = ConnectionKeys {
            ca: document.ca.as_ref().map(|ca| NamedFile::of(ca, self.source, &self.scope)),
            insecure: document.insecure.as_ref().is_some_and(|insecure| insecure.value),
            unix_socket,
        };
        let workload = self.workload(&document);
        let http = self.http(&document);
        let interval = document.interval.as_ref().map(|said| self.interval(said));
        let no_wait = "the wait must be longer than 0 s";
        let patience = document.patience.as_ref().map(|said| self.positive(said, no_wait));
        let drain = document.drain.as_ref().map(|drain| self.time(drain));
        let stamping = self.stamping(&document);
        let sequencing = self.sequencing(&document);
        let is_own = stamping == Stamping::Own || sequencing == Sequencing::Own;
        let publishing = document.publish.as_ref().map(|publish| {
            self.publishing(
                publish,
                workload.as_ref(),
                document.arrivals.unwrap_or_default(),
                is_own,
            )
        });
        let publish = document.publish.as_ref().and_then(|publish| self.hook(publish));
        let usual = Plan::new(document.plan.value, workload?);
        let mut plan = Plan {
            seed: document.seed.unwrap_or(usual.seed),
            http,
            compress: document.compress.unwrap_or(usual.compress),
            publishing,
            stamping,
            sequencing,
            interval: interval.unwrap_or(usual.interval),
            patience: patience.unwrap_or(usual.patience),
            drain: drain.unwrap_or(usual.drain),
            ..usual
        };
        plan.thresholds = self.thresholds(&document.fail_if, &plan);
        let why = document.why;
        Some(PlanFile { plan, why, url, websocket, connection, headers, method, body, publish })
    }

    fn http(&mut self, document: &Document) -> Http {
        let said = document.streams_per_connection.as_ref();
        if let Some(http) = document.http.as_ref().filter(|http| http.value == Version::Http10) {
            let what = "HTTP/1.0 cannot be loaded: it has no chunks";
            self.slip(http.place, what, "write `http: \"1.1\"`, or `http: \"2\"`");
        }
        if document.http.as_ref().is_none_or(|http| http.value != Version::Http2) {
            if let Some(at) = said {
                let what = "over HTTP/1.1, each stream has a connection of its own";
                self.slip(at.place, what, "add `http: \"2\"`, or leave this out");
            }
            return Http::One;
        }
        let streams_per_connection = said.map_or(Http::USUAL_STREAMS, |at| at.value);
        if let Some(at) = said
            && !(1..=Http::MOST_STREAMS).contains(&streams_per_connection)
        {
            let what = format!("no connection has {streams_per_connection} streams");
            let instead = format!("write a number from 1 to {}, such as 100", Http::MOST_STREAMS);
            self.slip(at.place, what, instead);
        }
        Http::Two { streams_per_connection }
    }

    fn publishing(
        &mut self,
        publish: &At<document::Publish>,
        workload: Option<&Workload>,
        arrivals: Arrivals,
        is_own: bool,
    ) -> Publishing {
        let PerSecond(rate) = publish.rate;
        let size = publish.size.as_ref().map_or(SIZE, |size| size.value.0);
        if let Some(At { place, value: Amount(said) }) = &publish.size
            && is_own
            && *said < STAMP
        {
            let what = format!("the generator's own stamp and number take up to {STAMP} bytes");
            let instead =
                format!("write a size of {STAMP} or more, or `stamp: none` and `sequence: none`");
            self.slip(*place, what, instead);
        }
        let after = publish.after.as_ref().map_or(Duration::ZERO, |after| self.time(after));
        if let (Some(said), Some(workload)) = (&publish.after, workload)
            && after >= workload.lasting()
        {
            let what = "the plan is over by then, and nothing is published";
            self.slip(said.place, what, "write a time before its end");
        }
        Publishing { rate, arrivals, size, after }
    }

    /// How to publish; `None` if that is a mistake.
    fn hook(&mut self, publish: &At<document::Publish>) -> Option<PublishHook> {
        let with_data = |http: &At<TargetRequest>| At {
            value: http.value.clone().with_data(),
            place: http.place,
        };
        let http = publish.http.as_ref().map(with_data);
        self.check.publication(publish.place, http.as_ref(), publish.run.as_ref());
        let scope = self.scope.clone();
        match (http, &publish.run) {
            (Some(http), None) => Some(PublishHook::spelled(http.value, scope)),
            (None, Some(run)) => Some(PublishHook::spelled_command(run.value.clone(), scope)),
            _ => None,
        }
    }

    fn stamping(&mut self, document: &Document) -> Stamping {
        let Some(stamp) = &document.stamp else {
            return match (&document.publish, &document.requests) {
                (Some(_), _) => Stamping::Own,
                (None, None) => Stamping::Auto,
                (None, Some(_)) => Stamping::None,
            };
        };
        stamp.word.clone().unwrap_or_else(|| {
            self.pointer(&stamp.json);
            Stamping::Json { pointer: stamp.json.value.clone(), unit: stamp.unit }
        })
    }

    fn sequencing(&mut self, document: &Document) -> Sequencing {
        let Some(sequence) = &document.sequence else {
            return match (&document.publish, &document.requests) {
                (Some(_), _) => Sequencing::Own,
                (None, None) => Sequencing::Auto,
                (None, Some(_)) => Sequencing::None,
            };
        };
        sequence.word.clone().unwrap_or_else(|| {
            self.pointer(&sequence.json);
            Sequencing::Json(sequence.json.value.clone())
        })
    }

    fn pointer(&mut self, pointer: &At<String>) {
        if !pointer.starts_with('/') {
            let what = "a JSON pointer begins with a slash";
            self.slip(pointer.place, what, "write it as in /meta/at");
        }
    }

    fn headers(&mut self, document: &Document) -> Vec<(String, Template)> {
        let Some(headers) = &document.headers else { return Vec::new() };
        let fields = headers.0.iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        fields
            .map(|(name, text)| {
                self.numbered(&At { value: text.clone(), place: headers.place });
                (name.clone(), Template::of(text, &self.scope))
            })
            .collect()
    }

    /// A URL that begins with one of these, or a path.
    fn url(&mut self, url: &At<crate::model::Text>, schemes: [&str; 2]) -> Template {
        self.numbered(url);
        let template = Template::of(url, &self.scope);
        let start = template.start();
        let is_whole = schemes.iter().any(|scheme| start.starts_with(scheme));
        let is_path = start.starts_with('/') && !start.starts_with("//");
        if !is_whole && !is_path && self.check.mistakes.is_empty() {
            let what = format!("a URL begins with {} or {} here", schemes[0], schemes[1]);
            let path = if schemes[0] == "ws://" { "/ws" } else { "/events" };
            let instead = format!(
                "write it as in {}127.0.0.1:8080{path}, or {path}?every=1s for the embedded server",
                schemes[0]
            );
            self.slip(url.place, what, instead);
        }
        template
    }

    /// A text in which the number of a client may stand.
    fn numbered(&mut self, text: &At<crate::model::Text>) {
        let known = self.check.variables.given.insert(NUMBER.to_owned(), String::new());
        self.check.text(text, text.place, false);
        if known.is_none() {
            self.check.variables.given.remove(NUMBER);
        }
    }

    fn body(&mut self, requests: &At<document::Requests>) -> Option<Body> {
        let said = [requests.body.is_some(), requests.json.is_some(), requests.file.is_some()];
        if said.into_iter().filter(|said| *said).count() > 1 {
            let what = "`body`, `json` and `file` each say what is sent";
            self.slip(requests.place, what, "keep one of them");
        }
        if let Some(text) = &requests.body {
            self.numbered(text);
            return Some(Body::Text(Template::of(text, &self.scope)));
        }
        if let Some(json) = &requests.json {
            for text in Json::texts(json) {
                self.numbered(&At { value: text, place: json.place });
            }
            return Some(Body::Json(Template::of_json(json, &self.scope)));
        }
        requests.file.as_ref().map(|file| Body::File(self.source.folder().join(&file.value)))
    }

    fn thresholds(&mut self, texts: &[At<String>], plan: &Plan) -> Vec<Threshold> {
        let read = texts.iter().filter_map(|text| {
            let threshold = self.read(text, Threshold::parse(&text.value))?;
            if let Some(why) = threshold.subject.missing_from(plan) {
                let what =
                    format!("no run of this plan has a value for `{}`: {why}", threshold.subject);
                self.slip(
                    text.place,
                    what,
                    "add that to the plan, or leave this out: what is not measured does not pass",
                );
            }
            Some(threshold)
        });
        read.collect()
    }

    /// The parsed value of a text, or the mistake at its place in the file.
    fn read<T>(&mut self, text: &At<String>, read: Result<T, ThresholdError>) -> Option<T> {
        let wrong = match read {
            Ok(read) => return Some(read),
            Err(wrong) => wrong,
        };
        // A text that spans lines, or has escapes in it, stands in the file in another way.
        let first = text.value.get(..wrong.at).map_or(0, |before| before.chars().count());
        let place = match self.source.find(&text.value, text.place) {
            Some(found) if found.line == text.place.line => {
                Place { column: found.column + first, ..found }
            }
            _ => text.place,
        };
        self.slip(place, wrong.what, wrong.instead);
        None
    }

    fn interval(&mut self, said: &At<Pause>) -> Duration {
        let interval = self.time(said);
        if interval < SHORTEST_INTERVAL {
            let what = "an interval this short measures nothing";
            self.slip(said.place, what, "write 100ms or more");
        }
        interval
    }

    fn positive(&mut self, pause: &At<Pause>, what: &str) -> Duration {
        let time = self.time(pause);
        if time.is_zero() {
            self.slip(pause.place, what, "write a time such as 10s");
        }
        time
    }

    fn time(&mut self, pause: &At<Pause>) -> Duration {
        let Pause(time) = pause.value;
        if time > LONGEST {
            self.too_long(pause.place);
            return LONGEST;
        }
        time
    }

    fn too_long(&mut self, place: Place) {
        let what = "this plan takes longer than 30 days";
        self.slip(place, what, "write a shorter time, such as 10m");
    }
}
