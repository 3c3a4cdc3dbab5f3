//! Checks between steps: names are known and free, variables have values, and the keys of a step are
//! complete and do not contradict each other.

mod names;
mod texts;

use std::collections::{BTreeMap, BTreeSet};

use sseproof_units::nearest;

use self::names::{Names, Opened};
use crate::mistake::{Mistake, Mistakes, Place, Slip, Source};
use crate::model::{At, Connect, Document, Expect, Http, Name, Part, RoleName, Scope, Step, Text};
use crate::variables::Variables;

/// A variable that has a new value in each run, to identify the events that this run published.
pub const MARK: &str = "mark";

/// Checks the document; returns the first values of its variables.
pub(crate) fn check(
    document: &Document,
    source: &Source<'_>,
    variables: &Variables,
) -> Result<Scope, Mistakes> {
    let mut check = Check {
        source,
        variables,
        known: variables.given.keys().cloned().chain([MARK.to_owned()]).collect(),
        names: Names::default(),
        used: BTreeMap::new(),
        readings: BTreeSet::new(),
        mistakes: Vec::new(),
    };
    let values = check.vars(document);
    check.steps(&document.steps);
    let Check { used: environment, mut mistakes, .. } = check;
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    mistakes.dedup();
    if mistakes.is_empty() { Ok(Scope { values, environment }) } else { Err(Mistakes(mistakes)) }
}

struct Check<'s> {
    source: &'s Source<'s>,
    variables: &'s Variables,
    /// The variables that have a value at this step.
    known: BTreeSet<String>,
    names: Names,
    used: BTreeMap<String, String>,
    /// The readings that were taken before this step.
    readings: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

/// The name of a connection without `as`.
fn default_name(role: Option<RoleName>, otherwise: &str) -> String {
    role.map_or_else(|| otherwise.to_owned(), |role| role.0.to_string())
}

impl Check<'_> {
    fn slip(&mut self, place: Place, slip: Slip) {
        self.mistakes.push(slip.at(self.source, place));
    }

    /// Checks that a gauge was read under this name, which the value of this key gives.
    fn reading(&mut self, name: &Name, key: &str, step: Place) {
        if !self.readings.contains(&name.0) {
            let what = format!("no earlier reading is named `{}`", name.0);
            let instead = format!("write `- gauge: {{ as: {} }}` above it", name.0);
            let near = self.source.find(key, step).unwrap_or(step);
            self.slip(near, Slip::instead(what, instead));
        }
    }

    fn vars(&mut self, document: &Document) -> BTreeMap<String, String> {
        let environment = self.variables.environment.clone();
        let scope = Scope { environment, ..Scope::default() };
        let mut values = BTreeMap::new();
        for (name, text) in &document.vars {
            if let Some(given) = self.variables.given.get(name) {
                values.insert(name.clone(), given.clone());
                continue;
            }
            let inner = text.0.iter().find(|part| matches!(part, Part::Variable(..)));
            if inner.is_some() {
                let what = "a variable of the file cannot use other variables";
                let instead = "use only ${env:NAME} and ${300*x}";
                self.slip(text.place, Slip::instead(what, instead));
            } else {
                self.text(text, text.place);
            }
            values.insert(name.clone(), text.fill(&scope).unwrap_or_default());
        }
        self.known.extend(document.vars.keys().cloned());
        let others =
            self.variables.given.iter().filter(|(name, _)| !document.vars.contains_key(*name));
        values.extend(others.map(|(name, value)| (name.clone(), value.clone())));
        values
    }

    /// Checks that each variable of the text has a value; `near` is a place before it in the file.
    fn text(&mut self, text: &Text, near: Place) {
        for part in &text.0 {
            if let Part::Environment(name) = part
                && let Some(value) = self.variables.environment.get(name)
            {
                self.used.insert(name.clone(), value.clone());
            }
            let (written, slip) = match part {
                Part::Variable(name, form) if !self.known.contains(name) => {
                    (form.spelled(name), self.undefined(name))
                }
                Part::Environment(name) if !self.variables.environment.contains_key(name) => (
                    format!("${{env:{name}}}"),
                    Slip::instead(
                        format!("the environment variable `{name}` is not set"),
                        format!("set it before the run: {name}=… sseproof …"),
                    ),
                ),
                _ => continue,
            };
            let place = self.source.find(&written, near).unwrap_or(near);
            self.slip(place, slip);
        }
    }

    fn undefined(&self, name: &str) -> Slip {
        let what = format!("the variable `{name}` has no value before this step");
        match nearest(name, self.known.iter().map(String::as_str)) {
            Some(meant) => Slip::instead(what, format!("did you mean `${{{meant}}}`?")),
            None => Slip::instead(
                what,
                format!(
                    "add `vars: {{ {name}: … }}` to the file, capture it, or give --var {name}=…"
                ),
            ),
        }
    }

    fn steps(&mut self, steps: &At<Vec<At<Step>>>) {
        if steps.is_empty() {
            let instead =
                "write at least one step: [connect: {}], or `- connect: {}` on the next line";
            self.slip(steps.place, Slip::instead("the list of steps is empty", instead));
        }
        for step in &steps.value {
            self.step(step);
        }
    }

    fn step(&mut self, step: &At<Step>) {
        for text in texts::of(step) {
            self.text(&text, step.place);
        }
        let place = step.place;
        match &step.value {
            Step::Connect(connect) => {
                self.one_body(connect.body.is_some(), connect.json.is_some(), place);
                if connect.published && connect.path.is_some() {
                    let what = "`published` and `path` both set the path";
                    self.slip(place, Slip::instead(what, "keep one of the two"));
                }
                if let Some(on) = &connect.on {
                    self.stream(Some(on), place);
                    self.alone_on_its_connection(connect, place);
                }
                if let Some(of) = &connect.cookies_of {
                    self.named(Some(of), place);
                }
                self.path(connect.path.as_ref(), place);
                let default = default_name(connect.role, "stream");
                self.open(connect.name.as_ref(), &default, Opened::Stream, place);
            }
            Step::Reconnect(reconnect) => {
                let from = self.stream(reconnect.from.as_ref(), place);
                if reconnect.last_event_id.is_some() && reconnect.after_event.is_some() {
                    let what = "`last-event-id` and `after-event` both set the id to send";
                    self.slip(place, Slip::instead(what, "keep one of the two"));
                }
                if let Some(from) = from {
                    self.names.free(&from);
                    let default = default_name(reconnect.role, &from);
                    self.open(reconnect.name.as_ref(), &default, Opened::Stream, place);
                }
            }
            Step::Expect(expect) => self.expect(expect, place),
            Step::Read(read) => {
                self.stream(read.from.as_ref(), place);
                let slip = match (read.events, read.time, read.within) {
                    (None, None, _) => Slip::instead(
                        "`events` or `for` is missing",
                        "write `events: 3` for a number of events, or `for: 2s` for a time",
                    ),
                    (Some(_), Some(_), _) => {
                        Slip::instead("`events` and `for` exclude each other", "write two steps")
                    }
                    (None, Some(_), Some(_)) => {
                        Slip::instead("`within` has no effect with `for`", "remove `within`")
                    }
                    _ => return,
                };
                self.slip(place, slip);
            }
            Step::Observe(observe) => {
                self.stream(observe.from.as_ref(), place);
                let until = observe.head || observe.events.is_some() || observe.event.is_some();
                if observe.end && until {
                    let what = "`end` waits for the end of the stream, so no other condition has an effect";
                    let instead = "remove the others, or remove `end`: the end of the stream ends every `observe`";
                    self.slip(place, Slip::instead(what, instead));
                }
            }
            Step::Drop(disconnect) => {
                if let Some(name) = self.stream(disconnect.from.as_ref(), place) {
                    self.drop(&name, place);
                }
            }
            Step::Http(http) => self.http(http, place),
            Step::Publish(publish) => self.path(publish.path.as_ref(), place),
            Step::Run(command) => {
                let plain = command.command.plain().map(|text| (text, shlex::split(text)));
                if let Some((text, words)) = plain
                    && words.as_ref().is_none_or(Vec::is_empty)
                {
                    let what = format!("`{text}` cannot be split into a program and its arguments");
                    let instead = "close its quotes, or write a command: `run: ./restart --now`";
                    self.slip(place, Slip::instead(what, instead));
                }
            }
            Step::Capture(capture) => {
                self.named(capture.from.as_ref(), place);
                let part = capture.path.is_some() || capture.regex.is_some();
                if capture.header.is_some()
                    && (part && capture.path.is_some() || capture.field.is_some())
                {
                    let what = "`header` excludes `path` and `field`, which select from the stream";
                    self.slip(
                        place,
                        Slip::instead(what, "keep one of the two; `regex` goes with both"),
                    );
                }
                self.known.insert(capture.into.0.clone());
            }
            Step::Repeat(repeat) => {
                let rounds = repeat.times.0;
                self.rounds(&repeat.steps, rounds, None);
            }
            Step::ForEach(each) => {
                if each.values.is_empty() {
                    let what = "the list of values is empty";
                    self.slip(each.values.place, Slip::instead(what, "write some: in: [a, b]"));
                }
                self.rounds(&each.steps, each.values.len(), Some(&each.var.0));
            }
            Step::Stall(stall) | Step::ReadOn(stall) => {
                self.stream(stall.from.as_ref(), place);
            }
            Step::Gauge(gauge) => {
                if let Some(until) = &gauge.until {
                    self.reading(&until.at_most, "at-most", place);
                }
                self.readings.insert(gauge.name.0.clone());
            }
            Step::Churn(churn) => {
                self.readings.insert(churn.name.0.clone());
            }
            Step::Pour(pour) => {
                for stream in [&pour.seen_by, &pour.past].into_iter().flatten() {
                    self.stream(Some(stream), place);
                }
                if let Some(grown) = &pour.if_grown {
                    self.reading(&grown.from, "from", place);
                    self.reading(&grown.to, "to", place);
                }
            }
            Step::Wait(_)
            | Step::Payloads(_)
            | Step::Crowd(_)
            | Step::Restart(_)
            | Step::Terminate(_) => {}
        }
    }

    /// Checks two rounds, since the second begins with the names of the first.
    fn rounds(&mut self, steps: &At<Vec<At<Step>>>, rounds: usize, var: Option<&str>) {
        let outside = self.known.clone();
        self.known.insert("round".to_owned());
        self.known.extend(var.map(str::to_owned));
        self.steps(steps);
        if rounds > 1 {
            self.steps(steps);
        }
        // Captured variables stay; those of the round go.
        for name in ["round"].into_iter().chain(var) {
            if !outside.contains(name) {
                self.known.remove(name);
            }
        }
    }

    fn one_body(&mut self, body: bool, json: bool, place: Place) {
        if body && json {
            let what = "`body` and `json` both set the body";
            self.slip(place, Slip::instead(what, "keep one of the two"));
        }
    }

    /// Rejects options that only the first stream of a connection can set.
    fn alone_on_its_connection(&mut self, connect: &Connect, place: Place) {
        let what = match connect {
            Connect { window: Some(_), .. } => {
                "`window` is set when a connection is opened, and `on` opens none"
            }
            Connect { narrow: true, .. } => {
                "`narrow` is set when a connection is opened, and `on` opens none"
            }
            Connect { http: Some(_), .. } => {
                "`http` is set when a connection is opened, and `on` opens none"
            }
            Connect { via: true, .. } => {
                "`via` selects the proxy, and `on` the server of the shared connection"
            }
            _ => return,
        };
        let instead = "set it in the step that opens the connection, or remove `on`";
        self.slip(place, Slip::instead(what, instead));
    }

    fn path(&mut self, path: Option<&Text>, near: Place) {
        let Some(Part::Plain(start)) = path.and_then(|path| path.0.first()) else { return };
        if !start.starts_with(['/', '?']) {
            let place = self.source.find(start, near).unwrap_or(near);
            let what = format!("the path `{start}` does not begin with a slash");
            let instead = if start.contains("://") {
                "write only the path, as in /events?topic=1; the server is the target's".to_owned()
            } else {
                format!("write /{start}")
            };
            self.slip(place, Slip::instead(what, instead));
        }
    }

    fn http(&mut self, http: &Http, place: Place) {
        self.one_body(http.body.is_some(), http.json.is_some(), place);
        self.path(http.path.as_ref(), place);
        if http.path.is_some() && http.url.is_some() {
            let what = "`path` and `url` both set the URL";
            self.slip(
                place,
                Slip::instead(what, "keep `path` for the target, `url` for another server"),
            );
        }
        if let Some(name) = &http.name {
            self.open(Some(name), &name.0, Opened::Response, place);
        }
    }

    fn expect(&mut self, expect: &Expect, place: Place) {
        let name = self.named(expect.from.as_ref(), place);
        let kinds: Vec<&str> = [
            ("event", expect.event.is_some()),
            ("comment", expect.comment.is_some()),
            ("retry", expect.retry.is_some()),
            ("end", expect.end.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, is_set)| is_set.then_some(kind))
        .collect();
        let of_head = expect.status.is_some() || !expect.headers.is_empty();
        let counts = expect.count.is_some() || expect.next || expect.none_within.is_some();
        let slip = match kinds.as_slice() {
            [] if !of_head => Slip::instead(
                "the step has no expectation",
                "add one of `event`, `comment`, `retry` and `end`, or `status` and `headers`; \
                 `event: {}` matches any event",
            ),
            [] if counts => Slip::instead(
                "`count`, `next` and `none-within` need an item of the stream",
                "remove them, or add `event: {}`",
            ),
            [first, second, ..] => Slip::instead(
                format!("`{first}` and `{second}` cannot be expected in one step"),
                "write a step for each",
            ),
            _ if expect.within.is_some() && expect.none_within.is_some() => Slip::instead(
                "`within` and `none-within` exclude each other",
                "keep `within` if it must come, `none-within` if it must not",
            ),
            _ if expect.none_within.is_some() && (expect.count.is_some() || expect.next) => {
                Slip::instead(
                    "`none-within` excludes `count` and `next`",
                    "remove `count` and `next`",
                )
            }
            ["end"] if expect.count.is_some() || expect.next => {
                Slip::instead("a stream has one end", "remove `count` and `next`")
            }
            [kind] if name.is_some_and(|name| self.names.is_response(&name)) => Slip::instead(
                format!("the response to an ordinary request has no `{kind}`"),
                "expect its `status` and `headers`; for a stream, use `connect`",
            ),
            _ => return,
        };
        self.slip(place, slip);
    }
}
