//! From what a file says to a plan, and what makes no sense in it.

use std::time::Duration;

use sseproof_http::Version;
use sseproof_load_model::{
    Arrivals, Http, Lifetime, Pace, Plan, Publishing, Rate, Reconnecting, Requests, Sequencing,
    Slow, Stage, Stamping, Subscribe, Threshold, ThresholdError, Workload, objective,
};
use sseproof_units::Dimension;

use super::document::{self, Document};
use super::scalar::{Amount, Jitter, PerSecond, Percent, value};
use super::template::{NUMBER, Template};
use super::{Body, PlanFile};
use crate::mistake::{Mistakes, Place, Slip, Source};
use crate::model::{At, Json, Pause, Scope, Short};
use crate::target::Check;
use crate::variables::Variables;
use crate::{ConnectionKeys, NamedFile, PublishHook};

/// No load runs longer, and sums of such times do not overflow.
const LONGEST: Duration = Duration::from_hours(30 * 24);
/// Shorter intervals measure the generator's clock.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// More clients than anybody has addresses for; a schedule of them fits into memory.
const MOST: u64 = 10_000_000;
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
        let connection = ConnectionKeys {
            ca: document.ca.as_ref().map(|ca| NamedFile::of(ca, self.source, &self.scope)),
            insecure: document.insecure.as_ref().is_some_and(|insecure| insecure.value),
            unix_socket: None,
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
        let publish = document.publish.as_ref().map(|publish| self.hook(publish));
        let usual = Plan::new(document.plan.value, workload?);
        let mut plan = Plan {
            seed: document.seed.unwrap_or(usual.seed),
            http,
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

    fn workload(&mut self, document: &Document) -> Option<Workload> {
        match (&document.clients, &document.requests) {
            (Some(clients), None) => {
                let stages = self.stages(clients);
                Some(Workload::Subscribe(Subscribe {
                    stages,
                    arrivals: document.arrivals.unwrap_or_default(),
                    lifetime: document.lifetime.as_ref().map(|lifetime| self.lifetime(lifetime)),
                    slow: document.slow.as_ref().map(|slow| self.slow(slow)),
                    reconnecting: self.reconnecting(document.reconnect.as_ref()),
                }))
            }
            (None, Some(requests)) => {
                self.only_of_clients(document);
                Some(Workload::Request(
                    self.requests(requests, document.arrivals.unwrap_or_default()),
                ))
            }
            (Some(_), Some(requests)) => {
                let what = "`clients` that stay and `requests` that end are two plans";
                self.slip(
                    requests.place,
                    what,
                    "keep one of the two, and make a file of the other",
                );
                None
            }
            (None, None) => {
                let what = "the plan does not say what happens";
                let instead = "add `clients:` and below it `- ramp: { to: 1000, over: 10s }` and `- hold: 30s`, or `requests: { rate: 50/s, for: 60s }`";
                self.slip(document.plan.place, what, instead);
                None
            }
        }
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

    /// Keys that only plans of clients have.
    fn only_of_clients(&mut self, document: &Document) {
        let said = [
            ("lifetime", document.lifetime.as_ref().map(|at| at.place)),
            ("slow", document.slow.as_ref().map(|at| at.place)),
            ("reconnect", document.reconnect.as_ref().map(|at| at.place)),
            ("websocket", document.websocket.as_ref().map(|at| at.place)),
        ];
        for (key, place) in said {
            if let Some(place) = place {
                let what = format!("`{key}` is for `clients` that stay, and these are `requests`");
                self.slip(place, what, "leave it out");
            }
        }
    }

    fn stages(&mut self, clients: &At<Vec<At<document::Stage>>>) -> Vec<Stage> {
        let (mut open, mut most) = (0, 0);
        let before = self.check.mistakes.len();
        let stages: Vec<_> = clients
            .iter()
            .map(|stage| {
                let place = stage.place;
                match &stage.value {
                    document::Stage::Ramp(ramp) => {
                        let stage = self.ramp(ramp, open, place);
                        open = ramp.to;
                        most = most.max(open);
                        stage
                    }
                    document::Stage::Hold(pause) => Stage::Hold { lasting: self.time(pause) },
                    document::Stage::Storm(storm) => {
                        if open == 0 {
                            let what = "no client is connected at that time";
                            self.slip(place, what, "begin with `- ramp: { to: 1000, over: 10s }`");
                        }
                        let Percent(share) = storm.drop;
                        Stage::Storm { share, lasting: self.time(&storm.watch) }
                    }
                }
            })
            .collect();
        let lasting: Duration = stages.iter().map(Stage::duration).sum();
        if most == 0 {
            // A stage may have this mistake already.
            if self.check.mistakes.len() == before {
                let what = "no client ever comes";
                self.slip(clients.place, what, "begin with `- ramp: { to: 1000, over: 10s }`");
            }
        } else if lasting.is_zero() {
            let what = "all of this takes no time, so there is nothing to measure";
            self.slip(clients.place, what, "end with `- hold: 30s`");
        } else if lasting > LONGEST {
            self.too_long(clients.place);
        }
        stages
    }

    fn ramp(&mut self, ramp: &document::Ramp, open: u64, place: Place) -> Stage {
        let over = ramp.over.as_ref().map_or(Duration::ZERO, |over| self.time(over));
        let plateaus = ramp.plateaus.as_ref().map_or(1, |plateaus| plateaus.value);
        if ramp.to == open && open > 0 {
            let what = format!("there are {open} clients already");
            self.slip(place, what, "write `- hold: 10s` where nothing is to change");
        } else if ramp.to == open {
            self.slip(place, "there are no clients yet", "say how many are to come");
        } else if ramp.to > MOST {
            let what = format!("{} clients are more than any machine has addresses for", ramp.to);
            self.slip(place, what, format!("write {MOST} or fewer"));
        } else if let Some(at) = &ramp.plateaus {
            let place = at.place;
            if plateaus == 0 {
                self.slip(place, "a ramp has one step at least", "leave it out, or write 4");
            } else if plateaus > 1 && over.is_zero() {
                let what = "a ramp that takes no time has no plateaus";
                self.slip(place, what, "say how long it takes: over: 20s");
            } else if u64::from(plateaus) > ramp.to.abs_diff(open) {
                let what = "there are more plateaus here than clients that come or go";
                self.slip(place, what, "write 4, as a rule");
            }
        }
        Stage::Ramp { to: ramp.to.min(MOST), over, plateaus: plateaus.max(1) }
    }

    fn requests(&mut self, requests: &At<document::Requests>, arrivals: Arrivals) -> Requests {
        let place = requests.place;
        let lasting = self.positive(&requests.lasting, "no request is ever made");
        let rate = match (&requests.rate, &requests.clients) {
            (Some(rate), None) => {
                if let Some(think) = &requests.think {
                    let what =
                        "requests at a rate do not wait for responses, so there is no think time";
                    self.slip(
                        think.place,
                        what,
                        "leave it out, or write `clients: 10` in place of `rate`",
                    );
                }
                let (PerSecond(from), PerSecond(to)) = (rate.from, rate.to);
                Rate::Open { from, to, arrivals }
            }
            (None, Some(clients)) => {
                if clients.value == 0 || clients.value > MOST {
                    let what = format!("{} clients cannot ask", clients.value);
                    self.slip(clients.place, what, "write a number such as 10");
                }
                let think = requests.think.as_ref().map_or(Duration::ZERO, |at| self.time(at));
                Rate::Closed { clients: clients.value, think }
            }
            (rate, _) => {
                let (what, instead) = if rate.is_some() {
                    (
                        "`rate` and `clients` both say when requests are made",
                        "keep `rate` for an open model, `clients` for a closed one",
                    )
                } else {
                    ("it is not said when requests are made", "add `rate: 50/s`, or `clients: 10`")
                };
                self.slip(place, what, instead);
                Rate::Closed { clients: 1, think: Duration::ZERO }
            }
        };
        let objectives = requests.objectives.iter();
        let objectives =
            objectives.filter_map(|text| self.read(text, objective(&text.value))).collect();
        Requests { rate, lasting, protocol: requests.profile, objectives }
    }

    fn lifetime(&mut self, at: &At<Short<document::Lifetime>>) -> Lifetime {
        let Pause(mean) = at.mean;
        if mean.is_zero() || mean > LONGEST {
            let what = "the mean stay must be longer than 0 s and at most 30 days";
            self.slip(at.place, what, "write a time such as 60s, or leave it out: then all stay");
        }
        if at.fixed { Lifetime::Fixed(mean) } else { Lifetime::Exponential(mean) }
    }

    fn slow(&mut self, slow: &At<document::Slow>) -> Slow {
        let Percent(share) = slow.share;
        let pace = if slow.pace.value == "never" {
            Pace::Never
        } else {
            match value(&slow.pace, Dimension::ByteRate) {
                Ok(bytes) if bytes >= 1.0 =>
                {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "a cast saturates, and it is positive"
                    )]
                    Pace::BytesPerSecond(bytes as u64)
                }
                Ok(_) => {
                    let what = format!("at {} nothing is ever read", slow.pace.value);
                    self.slip(slow.pace.place, what, "write `never`, or a pace such as 1KiB/s");
                    Pace::Never
                }
                Err(slip) => {
                    let instead = slip.instead.unwrap_or_default();
                    self.slip(slow.pace.place, slip.what, format!("{instead}, or `never`"));
                    Pace::Never
                }
            }
        };
        Slow { share, pace }
    }

    fn reconnecting(&mut self, said: Option<&At<Short<document::Reconnect>>>) -> Reconnecting {
        let usual = Reconnecting::default();
        let Some(said) = said else { return usual };
        Reconnecting {
            back: !said.never,
            wait: said.wait.as_ref().map_or(usual.wait, |wait| self.time(wait)),
            jitter: said.jitter.map_or(usual.jitter, |Jitter(share)| share),
            last_event_id: said.last_event_id.unwrap_or(usual.last_event_id),
        }
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

    fn hook(&mut self, publish: &At<document::Publish>) -> PublishHook {
        let http = &publish.http;
        let request = At { value: http.value.clone().with_data(), place: http.place };
        self.check.http(&request);
        PublishHook::spelled(request.value, self.scope.clone())
    }

    fn stamping(&mut self, document: &Document) -> Stamping {
        let Some(stamp) = &document.stamp else {
            return if document.publish.is_some() { Stamping::Own } else { Stamping::None };
        };
        stamp.word.clone().unwrap_or_else(|| {
            self.pointer(&stamp.json);
            Stamping::Json { pointer: stamp.json.value.clone(), unit: stamp.unit }
        })
    }

    fn sequencing(&mut self, document: &Document) -> Sequencing {
        let Some(sequence) = &document.sequence else {
            return if document.publish.is_some() { Sequencing::Own } else { Sequencing::None };
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
