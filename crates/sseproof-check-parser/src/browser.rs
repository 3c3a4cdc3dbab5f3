//! The corpus for browsers: a page that feeds every stream to the browser's own `EventSource`, and
//! the server for it.
//!
//! The page judges, and not the server: so it runs in any browser, and it claims nothing of
//! comments and anomalies, which an `EventSource` does not show. Where corpus and browser differ,
//! one of them is wrong.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sseproof_http::{Action, Bytes, Framing, Plan, Request};

use sseproof_corpus::{Stream, json, streams};

const PAGE: &str = include_str!("browser/page.html");
/// The pause between two chunks, so that they arrive one by one.
const PAUSE: Duration = Duration::from_millis(1);
/// A stream of more chunks than this is sent without pauses.
const PACED_CHUNKS: usize = 500;

#[derive(Debug, Default)]
pub struct Browser {
    /// The streams that were served once. A second request for one is an `EventSource` that
    /// reconnects.
    served: Mutex<HashSet<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    Plan(Plan),
    /// A plan for the last request of the page, and the result that it sent, as JSON.
    Result(Plan, String),
}

impl Browser {
    pub fn answer(&self, request: &Request) -> Served {
        static CORPUS: LazyLock<Result<String, String>> =
            LazyLock::new(|| json().map_err(|error| error.to_string()));
        let plan = match (request.method.as_str(), request.path()) {
            ("GET", "/") => Plan::answer(200, "text/html; charset=utf-8", PAGE),
            ("GET", "/corpus.json") => match &*CORPUS {
                Ok(corpus) => Plan::answer(200, "application/json", corpus.as_str()),
                Err(error) => Plan::answer(500, "text/plain", error.as_str()),
            },
            ("GET", "/stream") => self.stream(request).unwrap_or_else(not_found),
            ("POST", "/result") => {
                let plan = Plan::answer(200, "text/plain", "thank you\n");
                return Served::Result(plan, request.body.to_text());
            }
            _ => not_found(),
        };
        Served::Plan(plan)
    }

    /// A stream in its chunks; to a client that reconnects, the `Last-Event-ID` that it sent.
    fn stream(&self, request: &Request) -> Option<Plan> {
        static STREAMS: LazyLock<Vec<Stream<'static>>> = LazyLock::new(|| streams().collect());
        let (_, query) = request.target().split_once('?')?;
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let token = parameter("token")?.to_owned();
        if !self.served.lock().unwrap_or_else(PoisonError::into_inner).insert(token) {
            let id = request.last_event_id().map(|id| BASE64_STANDARD.encode(id));
            let id = id.map_or("none".to_owned(), |id| format!("base64,{id}"));
            return Some(events([format!("event: reconnected\ndata: {id}\n\n").into_bytes()]));
        }
        let stream = STREAMS.get(parameter("stream")?.parse::<usize>().ok()?)?;
        let cuts = match parameter("cuts")? {
            "whole" => Vec::new(),
            "bytes" => (1..stream.bytes.len()).collect(),
            number => stream.cuts().into_iter().nth(number.parse().ok()?)?,
        };
        Some(events(stream.chunks(&cuts)))
    }
}

fn events(chunks: impl IntoIterator<Item = Vec<u8>>) -> Plan {
    let headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store")];
    let headers = headers.into_iter().collect();
    let mut actions = vec![Action::Head { status: 200, headers, framing: Framing::Chunked }];
    let chunks: Vec<_> = chunks.into_iter().collect();
    let border = match chunks.len() {
        0..=PACED_CHUNKS => Action::Wait(PAUSE),
        _ => Action::Flush,
    };
    for chunk in chunks {
        actions.extend([Action::Write(Bytes::from(chunk)), border.clone()]);
    }
    actions.push(Action::Finish);
    Plan { actions }
}

fn not_found() -> Plan {
    Plan::answer(404, "text/plain", "not found\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(browser: &Browser, url: &str, id: Option<&str>) -> Plan {
        let mut request = Request::subscribe(url);
        request.headers.set("Last-Event-ID", id.unwrap_or_default());
        if id.is_none() {
            request.headers.remove("Last-Event-ID");
        }
        match browser.answer(&request) {
            Served::Plan(plan) => plan,
            Served::Result(..) => panic!("not the result"),
        }
    }

    fn body(plan: &Plan) -> Vec<&[u8]> {
        let actions = plan.actions.iter().filter_map(|action| match action {
            Action::Write(bytes) => Some(&**bytes),
            _ => None,
        });
        actions.collect()
    }

    #[test]
    fn a_stream_is_served_in_its_chunks() {
        let browser = Browser::default();
        let at = streams().position(|stream| stream.id() == "data/two-lines+crlf").expect("it is");
        let stream = streams().nth(at).expect("it is there");
        for (cuts, chunks) in [("whole", 1), ("bytes", stream.bytes.len()), ("2", 4)] {
            let plan =
                plan(&browser, &format!("/stream?stream={at}&cuts={cuts}&token={cuts}"), None);
            assert_eq!(body(&plan).len(), chunks, "{cuts}");
            assert_eq!(body(&plan).concat(), stream.bytes, "{cuts}");
        }
    }

    #[test]
    fn a_reconnection_gets_the_id_that_it_sent() {
        let browser = Browser::default();
        for (token, id, expected) in
            [("1", None, "data: none"), ("2", Some("7"), "data: base64,Nw==")]
        {
            let url = format!("/stream?stream=0&cuts=whole&token={token}");
            plan(&browser, &url, None);
            let again = plan(&browser, &url, id);
            let text = String::from_utf8_lossy(body(&again)[0]).into_owned();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn unknown_addresses_are_not_found() {
        for url in ["/x", "/stream", "/stream?stream=99999&cuts=whole&token=1"] {
            let Action::Head { status, .. } = plan(&Browser::default(), url, None).actions[0]
            else {
                panic!("no status")
            };
            assert_eq!(status, 404, "{url}");
        }
    }

    #[test]
    fn the_end_of_the_page_is_a_result() {
        let mut request = Request::subscribe("/result");
        request.method = "POST".to_owned();
        request.body = Bytes::from(b"{}".to_vec());
        let Served::Result(_, found) = Browser::default().answer(&request) else { panic!("it is") };
        assert_eq!(found, "{}");
    }
}
