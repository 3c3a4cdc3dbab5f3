//! Probes a server for a few seconds, with requests that change nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use sseproof_files::Variables;
use sseproof_http::{Headers, Request};
use sseproof_net::{Client, ConnectionOptions, Direct, Leave, Limits};
use sseproof_record::{Ending, Exchange, Transcript};
use sseproof_rules::{Profile, Record};
use url::Url;

/// How long to wait for the first events of the stream.
const WATCH: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(2);
const PUBLISH: [&str; 3] = ["/publish", "/emit", "/messages"];
const ACTIVE: [&str; 2] = ["/active", "/connections"];

pub(super) struct Survey {
    pub(super) url: Url,
    /// The names of the header fields that were sent; their values are not written to files.
    pub(super) fields: Vec<String>,
    pub(super) status: u16,
    pub(super) media_type: Option<String>,
    pub(super) events: usize,
    pub(super) has_ids: bool,
    pub(super) retry: Option<u64>,
    /// The profile of --profile, or the one that the events look like.
    pub(super) profile: Option<&'static str>,
    /// Whether --profile names it.
    pub(super) is_sure: bool,
    pub(super) publish: Option<&'static str>,
    pub(super) active: Option<&'static str>,
}

impl Survey {
    pub(super) async fn new(
        url: &str,
        headers: &Headers,
        given: Option<&'static Profile>,
        connection: ConnectionOptions,
    ) -> anyhow::Result<Self> {
        let limits = Limits { connect: PATIENCE, ..Limits::default() };
        let client = Client::new(Arc::new(Direct), limits).with(connection);
        let mut request = Request::subscribe(url);
        request.headers.0.extend(headers.0.iter().cloned());
        let exchange = fetch(&client, subscription(request.clone(), given)?, WATCH).await?;
        let Some(head) = exchange.head.clone() else {
            bail!("no response from {url}: {}", ending(&exchange));
        };
        let base = Url::parse(url)?;
        let mut publish = None;
        for path in PUBLISH {
            let there = Request { method: "OPTIONS".to_owned(), ..on(&request, &base, path)? };
            let answer = fetch(&client, there, PATIENCE).await?;
            if publish.is_none() && takes_post(&answer) {
                publish = Some(path);
            }
        }
        let mut active = None;
        for path in ACTIVE {
            let answer = fetch(&client, on(&request, &base, path)?, PATIENCE).await?;
            let text = String::from_utf8_lossy(&answer.body_bytes()).trim().to_owned();
            if active.is_none() && answer.status() == Some(200) && text.parse::<u64>().is_ok() {
                active = Some(path);
            }
        }
        let transcript = Transcript { exchanges: vec![exchange], ..Transcript::default() };
        let record = Record::new(&transcript);
        let view = record.all().next();
        let events: Vec<_> = view.iter().flat_map(|view| view.events()).collect();
        Ok(Self {
            fields: headers.0.iter().map(|header| header.name.clone()).collect(),
            status: head.status,
            media_type: head.media_type(),
            events: events.len(),
            has_ids: events.iter().any(|(event, _)| !event.last_event_id.is_empty()),
            retry: view.and_then(|view| view.retries().next()).map(|(retry, _)| retry.millis),
            profile: given
                .map(|profile| profile.id)
                .or(events.iter().find_map(|(event, _)| profile(&event.event_type, &event.data))),
            is_sure: given.is_some(),
            publish,
            active,
            url: base,
        })
    }

    pub(super) fn is_stream(&self) -> bool {
        self.status == 200 && self.media_type.as_deref() == Some("text/event-stream")
    }
}

fn subscription(
    mut request: Request,
    profile: Option<&'static Profile>,
) -> anyhow::Result<Request> {
    let Some(profile) = profile else { return Ok(request) };
    profile.method.clone_into(&mut request.method);
    for (name, value) in profile.headers {
        request.headers.set(name, *value);
    }
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let given = profile.variables.iter().map(own).collect();
    let body = Variables { given, ..Variables::default() }.fill(profile.body);
    request.body = body.map_err(anyhow::Error::msg)?.into();
    Ok(request)
}

async fn fetch(client: &Client, request: Request, within: Duration) -> anyhow::Result<Exchange> {
    let mut live = client.open(request)?;
    live.wait(within, |progress| progress.events() >= 2).await;
    Ok(live.leave(Leave::Fin).await)
}

fn on(request: &Request, base: &Url, path: &str) -> anyhow::Result<Request> {
    let mut request = request.clone();
    request.url = base.join(path)?.to_string();
    request.headers.set("Accept", "*/*");
    Ok(request)
}

fn takes_post(answer: &Exchange) -> bool {
    let head = answer.head.as_ref().filter(|head| head.status < 400 || head.status == 405);
    head.is_some_and(|head| {
        let allowed = ["allow", "access-control-allow-methods"].map(|name| head.headers.list(name));
        allowed.iter().flatten().any(|method| method == "post")
    })
}

fn profile(kind: &str, data: &str) -> Option<&'static str> {
    if data.contains("\"object\":\"chat.completion.chunk\"") {
        return Some("openai-chat");
    }
    if kind.starts_with("response.") && data.contains("\"type\":\"response.") {
        return Some("openai-responses");
    }
    (kind == "message_start" && data.contains("\"message_start\"")).then_some("anthropic-messages")
}

fn ending(exchange: &Exchange) -> String {
    match &exchange.end.how {
        Ending::Disconnected => format!("timeout after {} s", WATCH.as_secs()),
        how => how.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_protocols_are_recognised() {
        let chat = "{\"id\":\"1\",\"object\":\"chat.completion.chunk\"}";
        assert_eq!(profile("message", chat), Some("openai-chat"));
        assert_eq!(
            profile("message_start", "{\"type\":\"message_start\"}"),
            Some("anthropic-messages")
        );
        assert_eq!(profile("message", "hello"), None);
    }
}
