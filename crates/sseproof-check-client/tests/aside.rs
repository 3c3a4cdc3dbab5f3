//! Requests that a browser makes by itself are answered, and are not those of the client.

use std::sync::Arc;

use sseproof_check_client::{BoxFuture, Carrier, Memory, Notice, Options, StartError, play};
use sseproof_client_rules::protocol::Event;
use sseproof_client_rules::{Call, Command, Hello, Kind, What, cases};
use sseproof_http::Request;
use sseproof_net::{Client, Leave, Limits};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// Reads the stream once, as a page of another origin does.
struct Page {
    client: Client,
    out: Option<UnboundedSender<Notice>>,
}

impl Carrier for Page {
    fn start(&mut self, out: UnboundedSender<Notice>) -> BoxFuture<'_, Result<Hello, StartError>> {
        self.out = Some(out);
        let name = "a page".to_owned();
        let (version, can, retries_on) = (String::new(), Vec::new(), Vec::new());
        Box::pin(async move { Ok(Hello { name, version, kind: Kind::Reader, can, retries_on }) })
    }

    fn send(&mut self, command: Command) {
        let (Some(out), Some(connect)) = (self.out.clone(), command.connect) else { return };
        let client = self.client.clone();
        tokio::spawn(async move {
            let get = Request::subscribe(&connect.url).with("Origin", "http://page.test");
            let mut preflight = get.clone().with("Access-Control-Request-Method", "GET");
            preflight.method = "OPTIONS".to_owned();
            let mut icon = get.clone();
            icon.url = format!("{}favicon.ico", connect.url);
            for (request, status) in [(preflight, 204), (icon, 404), (get, 200)] {
                let mut live = client.open(request).expect("a request");
                live.wait(std::time::Duration::from_secs(1), |seen| seen.events() == 2).await;
                let exchange = live.leave(Leave::Fin).await;
                let head = exchange.head.expect("an answer");
                assert_eq!(head.status, status);
                let allows = head.headers.first("access-control-allow-origin");
                assert!(allows.as_deref() == Some("http://page.test") || status == 404);
            }
            let (at, id) = (Instant::now(), command.id);
            for data in ["one", "two"] {
                let data = data.to_owned();
                let event = Event {
                    event_type: "message".to_owned(),
                    data,
                    last_event_id: None,
                    origin: None,
                };
                // The run may be over.
                let _ = out.send(Notice::Call { at, id, call: Call::Event(event) });
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_browser_itself_are_not_counted() {
    let memory = Memory::default();
    let client = Client::new(Arc::new(memory.clone()), Limits::default());
    let mut page = Page { client, out: None };
    let plain: Vec<_> = cases().filter(|case| case.id == "plain").collect();
    let never = std::future::pending();
    let played = play(&plain, &mut page, &memory, &Options::default(), &mut |_| {}, never).await;
    let record = played.expect("a page that works");
    let numbers: Vec<_> = record.cases[0]
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Asked(asked) => Some((asked.request.method.as_str(), asked.number)),
            What::Ended(ended) => Some(("end", ended.number)),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [("GET", 1), ("end", 1)]);
}
