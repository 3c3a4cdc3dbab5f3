//! How a server is made to send an event.

use std::collections::BTreeSet;

use sseproof_http::Request;
use sseproof_record::{Part as PublishedPart, Published};

use crate::Target;
use crate::model::{Form, Http, Json, Part, Scope, Text};
use crate::request;
use crate::target::drive::request_to;

pub(super) const DATA: &str = PublishedPart::Data.variable();

/// Whether the variable stands for a part of what is published.
pub(super) fn is_published(name: &str) -> bool {
    PublishedPart::ALL.iter().any(|part| part.variable() == name)
}

/// How to make a server send an event with given data: an HTTP request or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishHook {
    /// The path of the stream that carries what is published, where it is not the target's.
    pub stream: Option<String>,
    /// Whether the answer to each request is the stream that carries what it publishes.
    pub answers: bool,
    how: How,
    scope: Scope,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Http(Box<Http>),
    Run(Text),
}

/// The action that publishes some data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookCall {
    Send(Request),
    Run(String),
    /// Nothing: the request cannot carry it, for this reason.
    Unsendable(String),
}

/// The longest request target, and the longest header field, that carries what is published: what
/// RFC 9112 says that every server should take.
const LONGEST: usize = 8_000;

impl PublishHook {
    /// A request with the data as its body, unless it is in `place`: a path on the target's server,
    /// or a URL.
    pub fn http(method: &str, place: &str) -> Self {
        let has_data = Text::parse(place).is_ok_and(|place| place.names().any(|name| name == DATA));
        let body = Text(vec![Part::Variable(DATA.to_owned(), Form::Plain)]);
        Self::request(method, place, Some(body).filter(|_| !has_data), None)
    }

    /// A request with a JSON object that has a member for each part that is meant: `data`, `event`,
    /// `id`, `comment`.
    pub fn json(method: &str, place: &str) -> Self {
        let member = |part: PublishedPart| {
            let name = part.variable();
            (name.to_owned(), Form::Plain.spelled(name).into())
        };
        let json =
            Json(serde_json::Value::Object(PublishedPart::ALL.map(member).into_iter().collect()));
        Self::request(method, place, None, Some(json))
    }

    fn request(method: &str, place: &str, body: Option<Text>, json: Option<Json>) -> Self {
        let http = Http { body, json, ..request_to(method, place) };
        Self::new(How::Http(Box::new(http)), Scope::default())
    }

    /// A command with the data in it, as in `redis-cli publish news ${data}`; it runs without a shell.
    ///
    /// # Errors
    /// How to write it, if the data has no place in it or it cannot be split into words.
    pub fn command(text: &str) -> Result<Self, String> {
        let written = || "write it with ${data}, as in './publish ${data}'".to_owned();
        let command = Text::parse(text).map_err(|_| written())?;
        let has_data = command.names().any(|name| name == DATA);
        let splits = shlex::split(text).is_some_and(|words| !words.is_empty());
        let is_known = command.names().all(is_published);
        if !has_data || !splits || !is_known {
            return Err(written());
        }
        Ok(Self::spelled_command(command, Scope::default()))
    }

    pub(crate) fn spelled_command(command: Text, scope: Scope) -> Self {
        Self::new(How::Run(command), scope)
    }

    pub(crate) fn spelled(http: super::TargetRequest, scope: Scope) -> Self {
        Self::new(How::Http(Box::new(http.into_step("POST"))), scope)
    }

    pub(super) fn new(how: How, scope: Scope) -> Self {
        Self { stream: None, answers: false, how, scope }
    }

    /// The same, where the stream at this path carries what is published.
    #[must_use]
    pub fn on_stream(mut self, path: impl Into<String>) -> Self {
        self.stream = Some(path.into());
        self
    }

    /// The same, where the answer to each request is the stream that carries what it publishes.
    #[must_use]
    pub fn answering(mut self) -> Self {
        self.answers = true;
        self
    }

    /// Whether this part of what is published has a place in the request or the command.
    pub fn offers(&self, part: PublishedPart) -> bool {
        let is_it = |text: &Text| text.names().any(|name| name == part.variable());
        match &self.how {
            How::Http(http) => {
                let lines = http.path.iter().chain(&http.url).chain(&http.body);
                lines.chain(http.headers.0.values().flatten()).any(is_it)
                    || http.json.iter().flat_map(Json::texts).any(|text| is_it(&text))
            }
            How::Run(command) => is_it(command),
        }
    }

    /// The action that publishes the data.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn call(&self, target: &Target, data: &str) -> Result<HookCall, String> {
        self.call_on(target, &Published::of(data))
    }

    /// The action that publishes all parts. A missing part is empty text; a JSON member, a header
    /// field, or a part of a query or form that would have it is left out. A path has each part
    /// percent-encoded.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub fn call_on(&self, target: &Target, meant: &Published) -> Result<HookCall, String> {
        let mut scope = self.scope.clone();
        let mut absent = BTreeSet::new();
        for part in PublishedPart::ALL {
            let text = meant.meant(part);
            if text.is_none() {
                absent.insert(part.variable());
            }
            scope.values.insert(part.variable().to_owned(), text.unwrap_or_default().to_owned());
        }
        match &self.how {
            How::Http(http) => {
                let mut http = http.clone();
                http.json = http.json.map(|json| json.without(&absent));
                let is_absent =
                    |text: &Text| text.alone().is_some_and(|name| absent.contains(name));
                http.headers.0.retain(|_, text| !text.as_ref().is_some_and(is_absent));
                let is_carried = |text: &Text| text.names().any(is_published);
                let in_path = http.path.iter().chain(&http.url).any(is_carried);
                for text in http.path.iter_mut().chain(&mut http.url) {
                    *text = text.without_query(&absent).percent_encoded(is_published);
                }
                let is_form = http.headers.0.iter().any(|(name, text)| {
                    let text = text.as_ref().and_then(Text::plain).unwrap_or_default();
                    name.eq_ignore_ascii_case("content-type") && text.starts_with(FORM)
                });
                if is_form && let Some(body) = &mut http.body {
                    *body = body.without_fields(&absent).unwrap_or_default();
                }
                for (name, text) in &http.headers.0 {
                    let Some(text) = text.as_ref().filter(|text| is_carried(text)) else {
                        continue;
                    };
                    let value = text.fill(&scope)?;
                    if !is_field_value(&value) {
                        return Ok(HookCall::Unsendable(format!(
                            "the header field `{name}` carries only printable ASCII, without spaces at its ends, and at most {LONGEST} bytes"
                        )));
                    }
                }
                let mut request = request::http(&http, target, &scope)?;
                if in_path && request.target().len() > LONGEST {
                    return Ok(HookCall::Unsendable(format!(
                        "not every server takes a path and query of more than {LONGEST} bytes"
                    )));
                }
                if http.body.is_some() && !request.headers.has("content-type") {
                    request.headers.set("Content-Type", "text/plain; charset=utf-8");
                }
                Ok(HookCall::Send(request))
            }
            How::Run(command) => Ok(HookCall::Run(command.fill_with(&scope, request::word)?)),
        }
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Whether a header field carries the text unchanged: servers trim a value, cannot read a line end
/// in it, and do not agree on how to read other bytes than ASCII (RFC 9110, section 5.5).
fn is_field_value(text: &str) -> bool {
    text.trim_matches([' ', '\t']) == text
        && text.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
        && text.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_the_body_where_only_a_place_is_named() {
        let target = Target::new("http://h:1/events?a");
        let hook = PublishHook::http("PUT", "/publish");
        let Ok(HookCall::Send(request)) = hook.call(&target, "a\nb") else { panic!("no request") };
        assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", "http://h:1/publish"));
        assert_eq!(request.body.to_text(), "a\nb");
        let hook = PublishHook::http("POST", "http://other/x");
        let Ok(HookCall::Send(request)) = hook.call(&target, "") else { panic!("no request") };
        assert_eq!(request.url, "http://other/x");
    }

    fn hook(step: &str) -> PublishHook {
        let http: Http = serde_yaml::from_str(step).expect(step);
        PublishHook::new(How::Http(Box::new(http)), Scope::default())
    }

    #[test]
    fn in_a_path_each_part_is_encoded_and_an_absent_one_left_out() {
        let target = Target::new("http://h/events");
        let hook = hook("path: \"/enc?data=${data}&event=${event}&id=${id}\"");
        let url = |meant: &Published| match hook.call_on(&target, meant) {
            Ok(HookCall::Send(request)) => request.url,
            _ => panic!("no request"),
        };
        assert_eq!(url(&Published::of("a\n&")), "http://h/enc?data=a%0A%26");
        let empty = Published { event: Some(String::new()), ..Published::of("") };
        assert_eq!(url(&empty), "http://h/enc?data=&event=");
        let long = hook.call_on(&target, &Published::of("x".repeat(LONGEST)));
        assert!(matches!(long, Ok(HookCall::Unsendable(_))));
    }

    #[test]
    fn a_form_has_only_what_is_meant() {
        let form = "path: /x\nheaders: { Content-Type: application/x-www-form-urlencoded }\nbody: \"event=${event:percent}&data=${data:percent}\"";
        let target = Target::new("http://h/events");
        let Ok(HookCall::Send(request)) = hook(form).call(&target, "a b") else { panic!("none") };
        assert_eq!(request.body.to_text(), "data=a%20b");
    }

    #[test]
    fn a_header_field_carries_only_what_arrives_unchanged() {
        let target = Target::new("http://h/events");
        let hook = hook("path: /x\nbody: \"${data}\"\nheaders: { X-Event: \"${event}\" }");
        for (name, is_sent) in [
            ("update", true),
            ("a b", true),
            ("", true),
            (" a", false),
            ("a\n", false),
            ("a\0", false),
            ("é", false),
        ] {
            let meant = Published { event: Some(name.to_owned()), ..Published::of("a") };
            let call = hook.call_on(&target, &meant);
            assert_eq!(matches!(call, Ok(HookCall::Send(_))), is_sent, "{name:?}");
            assert_eq!(matches!(call, Ok(HookCall::Unsendable(_))), !is_sent, "{name:?}");
        }
    }

    #[test]
    fn in_a_command_the_data_stays_one_word() {
        let command = Text::parse("redis-cli publish news ${data}").unwrap();
        let hook = PublishHook::new(How::Run(command), Scope::default());
        let Ok(HookCall::Run(line)) = hook.call(&Target::new("http://h"), "it's\n$x") else {
            panic!("no command")
        };
        let words = shlex::split(&line).unwrap();
        assert_eq!(words, ["redis-cli", "publish", "news", "it's\n$x"]);
    }

    #[test]
    fn a_command_must_carry_the_data() {
        assert!(PublishHook::command("./publish ${data}").is_ok());
        for given in ["./publish", "./publish ${other} ${data}", "'open ${data}", "", "${data"] {
            assert!(PublishHook::command(given).is_err(), "{given}");
        }
    }

    #[test]
    fn what_is_not_meant_is_left_out() {
        let target = Target::new("http://h/events");
        let body = |hook: &PublishHook, meant: &Published| match hook.call_on(&target, meant) {
            Ok(HookCall::Send(request)) => (request.body.to_text(), request.headers),
            _ => panic!("no request"),
        };
        let hook = PublishHook::json("POST", "/publish");
        assert_eq!(body(&hook, &Published::of("a")).0, r#"{"data":"a"}"#);
        let named = Published { event: Some(String::new()), ..Published::of("a") };
        assert_eq!(body(&hook, &named).0, r#"{"data":"a","event":""}"#);
        assert!(PublishedPart::ALL.iter().all(|part| hook.offers(*part)));

        let step =
            "path: /publish\nbody: \"${event}|${data}\"\nheaders: { X-Id: \"${id:percent}\" }";
        let http: Http = serde_yaml::from_str(step).unwrap();
        let hook = PublishHook::new(How::Http(Box::new(http)), Scope::default());
        let (text, headers) = body(&hook, &Published::of("a"));
        assert_eq!((text.as_str(), headers.has("x-id")), ("|a", false));
        let (_, headers) = body(&hook, &Published { id: Some("é".to_owned()), ..named });
        assert_eq!(headers.first("x-id").as_deref(), Some("%C3%A9"));
        assert!(hook.offers(PublishedPart::Id) && !hook.offers(PublishedPart::Comment));
    }
}
