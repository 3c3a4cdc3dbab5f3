//! Every case in the browsers that are installed: the page, and that it passes what it can.

use std::path::PathBuf;
use std::{env, io};

use sseproof_check_client::{Browser, Options, Tcp, play};
use sseproof_client_rules::{Can, CaseEnd, ClientRecord, Kind, cases};
use tokio::process::{Child, Command};

/// Programs, and how their page names them.
const BROWSERS: [(&str, &str); 2] = [("chromium", "Chromium"), ("firefox-esr", "Firefox")];
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

async fn record(program: PathBuf) -> ClientRecord {
    let mut browser = Browser::new(program, spawn);
    let all: Vec<_> = cases().filter(|case| ["plain", "end"].contains(&case.id)).collect();
    let never = std::future::pending();
    let played = play(&all, &mut browser, &Tcp, &Options::default(), &mut |_| {}, never).await;
    played.expect("a browser that works")
}

#[tokio::test]
async fn a_page_in_a_browser_is_a_client() {
    for (program, name) in BROWSERS {
        let Some(program) = installed(program) else {
            assert!(env::var_os(REQUIRED).is_none(), "{REQUIRED} is set and {program} is missing");
            eprintln!("SKIPPED: {program} is not installed");
            continue;
        };
        let record = record(program).await;
        assert_eq!((record.client.name.as_str(), record.client.kind), (name, Kind::Eventsource));
        assert!(!record.client.version.is_empty());
        assert!(record.client.can.contains(&Can::CloseOn));
        assert!(record.pace.reconnects_us.is_some(), "{name} did not reconnect");
        for case in record.cases {
            assert_eq!(case.end, CaseEnd::Played, "{name}: {}", case.case);
        }
    }
}
