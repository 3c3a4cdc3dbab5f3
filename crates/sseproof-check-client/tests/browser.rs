//! The page in each browser that is installed.

use std::path::PathBuf;
use std::{env, io};

use sseproof_check_client::{Browser, Options, Tcp, play};
use sseproof_client_rules::protocol::{Event, Failed, Opened, Ready};
use sseproof_client_rules::{Call, Can, CaseEnd, CaseRecord, ClientRecord, Kind, What, cases};
use tokio::process::{Child, Command};

/// Set by a job that has both: a missing one is a failure then.
const REQUIRED: &str = "SSEPROOF_BROWSERS";

fn installed(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut all = env::split_paths(&path).map(|folder| folder.join(name));
    all.find(|program| program.is_file())
}

fn spawn(command: &mut Command) -> io::Result<(Child, Box<dyn Send>)> {
    struct Group(u32);
    impl Drop for Group {
        fn drop(&mut self) {
            let group = i32::try_from(self.0).ok().and_then(rustix::process::Pid::from_raw);
            // It may have ended already.
            group.map(|group| {
                rustix::process::kill_process_group(group, rustix::process::Signal::KILL)
            });
        }
    }
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = Group(child.id().unwrap_or_default());
    Ok((child, Box::new(group)))
}

/// A plain stream, a reconnection, and a client that closes itself.
const CASES: [&str; 3] = ["plain", "end", "close-in-handler"];

async fn record(program: PathBuf) -> ClientRecord {
    let mut browser = Browser::new(program, spawn);
    let all: Vec<_> = cases().filter(|case| CASES.contains(&case.id)).collect();
    let never = std::future::pending();
    let played =
        play(&all, &mut browser, &Tcp::default(), &Options::default(), &mut |_| {}, never).await;
    played.expect("a browser that works")
}

/// The message of an error, of which a browser says nothing.
const LOST: &str = "an event of type error";

/// The calls, without the origins of events, which are those of the server.
fn calls(case: &CaseRecord) -> Vec<Call> {
    let calls = case.entries.iter().filter_map(|entry| match &entry.what {
        What::Called { call: Call::Event(event), .. } => {
            let origin = event.origin.as_deref().unwrap_or_default();
            assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
            Some(Call::Event(Event { origin: None, ..event.clone() }))
        }
        What::Called { call, .. } => Some(call.clone()),
        _ => None,
    });
    calls.collect()
}

/// The program of a browser, and the name that its page finds.
#[expect(clippy::print_stderr, reason = "a browser that was not tested is named")]
async fn is_a_client(program: &str, name: &str) {
    let Some(program) = installed(program) else {
        assert!(env::var_os(REQUIRED).is_none(), "{REQUIRED} is set and {program} is missing");
        eprintln!("SKIPPED: {program} is not installed");
        return;
    };
    let record = record(program).await;
    assert_eq!((record.client.name.as_str(), record.client.kind), (name, Kind::Eventsource));
    assert!(!record.client.version.is_empty());
    assert!(record.client.can.contains(&Can::CloseOn));
    assert!(record.pace.reconnects_us.is_some(), "{name} did not reconnect");
    for case in &record.cases {
        assert_eq!(case.end, CaseEnd::Played, "{name}: {}", case.case);
    }
    let [connecting, open, closed] =
        [Ready::Connecting, Ready::Open, Ready::Closed].map(|state| Opened { state: Some(state) });
    let event = |data: &str, id: &str| {
        let (event_type, data) = ("message".to_owned(), data.to_owned());
        Call::Event(Event { event_type, data, last_event_id: Some(id.to_owned()), origin: None })
    };
    let lost = Failed { message: LOST.to_owned(), status: None, state: connecting.state };
    let plain = [Call::Open(open), event("one", ""), event("two", "")];
    let end = [
        Call::Open(open),
        event("one", "1"),
        Call::Error(lost),
        Call::Open(open),
        event("two", "1"),
    ];
    let close = [Call::Open(open), event("one", ""), Call::Closed(closed)];
    for (case, expected) in record.cases.iter().zip([&plain[..], &end, &close]) {
        assert_eq!(calls(case), expected, "{name}: {}", case.case);
    }
}

#[tokio::test]
async fn a_page_in_a_browser_is_a_client() {
    tokio::join!(is_a_client("chromium", "Chromium"), is_a_client("firefox-esr", "Firefox"));
}
