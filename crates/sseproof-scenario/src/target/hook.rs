//! What makes a server emit an event.

use sseproof_exchange::Request;

use crate::TargetConfig;
use crate::model::{Form, Headers, Http, Method, Part, Scope, Text};
use crate::run::request;

/// The variable that stands for what is published.
pub(super) const DATA: &str = "data";

/// What makes a server emit an event with given data: an HTTP request or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishHook {
    /// The path of the stream that carries what is published, where it is not the target's.
    pub(crate) stream: Option<String>,
    how: How,
    scope: Scope,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Http(Box<Http>),
    Run(Text),
}

/// What is to be done to publish some data.
pub(crate) enum Act {
    /// This request is sent.
    Send(Request),
    /// This command is run.
    Run(String),
}

impl PublishHook {
    /// A request with the data as its body; `place` is a path on the target's server, or a URL.
    pub fn http(method: &str, place: &str) -> Self {
        let to = Some(Text(vec![Part::Plain(place.to_owned())]));
        let (url, path) = if place.contains("://") { (to, None) } else { (None, to) };
        let http = Http {
            path,
            url,
            method: Some(Method(method.to_owned())),
            headers: Headers::default(),
            body: Some(Text(vec![Part::Variable(DATA.to_owned(), Form::Plain)])),
            json: None,
            status: None,
            within: None,
            name: None,
        };
        Self::new(How::Http(Box::new(http)), Scope::default())
    }

    pub(super) fn new(how: How, scope: Scope) -> Self {
        Self { stream: None, how, scope }
    }

    /// The same, where the stream at this path carries what is published.
    #[must_use]
    pub fn on_stream(mut self, path: impl Into<String>) -> Self {
        self.stream = Some(path.into());
        self
    }

    /// What publishes the data.
    ///
    /// # Errors
    /// The name of a variable that has no value.
    pub(crate) fn act(&self, target: &TargetConfig, data: &str) -> Result<Act, String> {
        let mut scope = self.scope.clone();
        scope.values.insert(DATA.to_owned(), data.to_owned());
        match &self.how {
            How::Http(http) => {
                let mut request = request::http(http, target, &scope)?;
                if http.body.is_some() && !request.headers.has("content-type") {
                    request.headers.set("Content-Type", "text/plain; charset=utf-8");
                }
                Ok(Act::Send(request))
            }
            How::Run(command) => Ok(Act::Run(command.fill_with(&scope, request::word)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_the_body_where_only_a_place_is_named() {
        let target = TargetConfig::new("http://h:1/events?a");
        let hook = PublishHook::http("PUT", "/publish");
        let Ok(Act::Send(request)) = hook.act(&target, "a\nb") else { panic!("no request") };
        assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", "http://h:1/publish"));
        assert_eq!(request.body.to_text(), "a\nb");
        let hook = PublishHook::http("POST", "http://other/x");
        let Ok(Act::Send(request)) = hook.act(&target, "") else { panic!("no request") };
        assert_eq!(request.url, "http://other/x");
    }

    #[test]
    fn in_a_command_the_data_stays_one_word() {
        let command = Text::parse("redis-cli publish news ${data}").unwrap();
        let hook = PublishHook::new(How::Run(command), Scope::default());
        let Ok(Act::Run(line)) = hook.act(&TargetConfig::new("http://h"), "it's\n$x") else {
            panic!("no command")
        };
        let words = shlex::split(&line).unwrap();
        assert_eq!(words, ["redis-cli", "publish", "news", "it's\n$x"]);
    }
}
