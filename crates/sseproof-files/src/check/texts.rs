//! All texts of a step that may contain variables, except those of nested steps.

use crate::model::{EventMatcher, Headers, Json, Short, Step, Text, Value};

pub(super) fn of(step: &Step) -> Vec<Text> {
    let mut texts = Texts(Vec::new());
    match step {
        Step::Connect(connect) => {
            texts.add(connect.path.as_ref());
            texts.headers(&connect.headers);
            texts.add(connect.body.as_ref());
            texts.json(connect.json.as_ref());
        }
        Step::Expect(expect) => {
            for value in expect.headers.values() {
                texts.value(value.as_ref());
            }
            texts.event(expect.event.as_ref());
            texts.value(expect.comment.as_ref());
        }
        Step::Observe(observe) => texts.event(observe.event.as_ref()),
        Step::Reconnect(reconnect) => {
            texts.add(reconnect.last_event_id.as_ref());
            texts.headers(&reconnect.headers);
        }
        Step::Http(http) => {
            texts.add(http.path.as_ref());
            texts.add(http.url.as_ref());
            texts.headers(&http.headers);
            texts.add(http.body.as_ref());
            texts.json(http.json.as_ref());
        }
        Step::Publish(publish) => {
            texts.add(Some(&publish.data));
            texts.add(publish.path.as_ref());
            texts.headers(&publish.headers);
        }
        Step::Run(command) => texts.add(Some(&command.command)),
        Step::Capture(capture) => texts.add(capture.regex.as_ref().map(|regex| &regex.0)),
        Step::ForEach(each) => each.values.iter().for_each(|value| texts.add(Some(value))),
        Step::Read(_)
        | Step::Drop(_)
        | Step::Wait(_)
        | Step::Payloads(_)
        | Step::Gauge(_)
        | Step::Churn(_)
        | Step::Crowd(_)
        | Step::Pour(_)
        | Step::Stall(_)
        | Step::ReadOn(_)
        | Step::Restart(_)
        | Step::Terminate(_)
        | Step::Repeat(_) => {}
    }
    texts.0
}

struct Texts(Vec<Text>);

impl Texts {
    fn add(&mut self, text: Option<&Text>) {
        self.0.extend(text.cloned());
    }

    fn json(&mut self, json: Option<&Json>) {
        self.0.extend(json.map(Json::texts).unwrap_or_default());
    }

    fn headers(&mut self, headers: &Headers) {
        self.0.extend(headers.0.values().flatten().cloned());
    }

    fn value(&mut self, value: Option<&Short<Value>>) {
        let Some(value) = value else { return };
        self.json(value.equals.as_ref());
        self.add(value.contains.as_ref());
        self.add(value.regex.as_ref().map(|regex| &regex.0));
        self.json(value.json.as_ref());
    }

    fn event(&mut self, event: Option<&Short<EventMatcher>>) {
        let Some(event) = event else { return };
        for value in [&event.data, &event.event_type, &event.id] {
            self.value(value.as_ref());
        }
    }
}
